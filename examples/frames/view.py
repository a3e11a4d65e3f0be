"""Looks at images in the memory where they are: the last stage of main.go, which see.

Slots come on the pipe "in"; what was seen in them goes out on the pipe "out".
"""

from __future__ import annotations

import zlib

import polyipc


def main() -> None:
    """Says where its array lies, then looks at images until no more come."""
    frames = polyipc.inherited("frames")
    source, out = polyipc.inherited("in"), polyipc.inherited("out")
    images = frames.numpy()  # made once, before the first image is
    out.send({"address": images.ctypes.data, "bytes": images.nbytes, "owner": images.flags.owndata})
    while True:
        try:
            slot = source.recv()
        except EOFError:
            return
        image = images[slot]  # a view: height, width, 3
        out.send({"slot": slot, "crc": zlib.crc32(image), "brightness": float(image.mean())})


if __name__ == "__main__":
    main()
