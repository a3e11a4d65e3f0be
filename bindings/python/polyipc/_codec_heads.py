"""The heads of MessagePack: what comes before the bytes or elements of a value."""

from __future__ import annotations

from polyipc._codec_types import MAX_SIZE, PICKLE, Buffer, CodecError


def head(fix: int, fixes: int, code: int, n: int, small: bool = False) -> bytes:
    """Return the head of n elements or bytes, for types with an 8-bit form (small) or without."""
    if n < fixes:
        return bytes((fix | n,))
    if small and n < 1 << 8:
        return bytes((code, n))
    if n < 1 << 16:
        return bytes((code + small,)) + n.to_bytes(2, "big")
    if n <= MAX_SIZE:
        return bytes((code + small + 1,)) + n.to_bytes(4, "big")
    raise CodecError("TOO_LARGE", f"{n} elements or bytes; the limit is {MAX_SIZE}")


def ext_head(ext: int, n: int) -> bytes:
    """Return the head of an extension with n bytes."""
    number = bytes((ext & 0xFF,))
    if n in (1, 2, 4, 8, 16):
        return bytes((0xD3 + n.bit_length(),)) + number
    return head(0, 0, 0xC7, n, True) + number


# Where the bytes of an extension begin, for each byte that one begins with.
EXTENSIONS = {0xC7: 3, 0xC8: 4, 0xC9: 6, **dict.fromkeys(range(0xD4, 0xD9), 2)}


def pickle_in(data: Buffer) -> memoryview:
    """Return the pickle that a whole message is; one inside of something is an error."""
    view = memoryview(data).cast("B")
    first = view[0]
    start = EXTENSIONS.get(first, 0)
    # The decoder may have met the pickle, but not what follows it.
    if not start or len(view) < start or view[start - 1] != PICKLE:
        raise CodecError(
            "INVALID", "a pickle inside of something else; it is always a whole message"
        )
    size = 1 << (first - 0xD4) if start == 2 else int.from_bytes(view[1 : start - 1], "big")
    if len(view) != start + size:
        raise CodecError("INVALID", f"{len(view) - start - size} bytes follow the pickle")
    return view[start:]
