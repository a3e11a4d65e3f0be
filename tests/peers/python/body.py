"""Messages: from the words of a command, and into those of an answer."""

from __future__ import annotations

import zlib

from polyipc import codec

LARGEST = 200_000  # bytes of a message of produce

# Byte i of a generated body is SEED + PATTERN[i], of which this is the beginning.
_PATTERN = bytes((7 * i + i // 256) & 255 for i in range(65536))
_PLUS = [bytes((b + n) & 255 for b in range(256)) for n in range(256)]


def generated(length: int, seed: int) -> bytes:
    """Return the bytes that every peer generates from seed; their pattern repeats every 64 KiB."""
    pattern = _PATTERN * (length // len(_PATTERN) + 1)
    return pattern[:length].translate(_PLUS[seed & 255])


def body_of(word: str) -> bytes:
    """Return the bytes that a word stands for."""
    if word[0] == "g":
        seed, _, length = word[1:].partition(":")
        return generated(int(length), int(seed))
    if word[0] in "xm":
        return bytes.fromhex(word[1:])
    raise ValueError(word)


def show(obj: object) -> str:
    """Describe a message that was gotten."""
    if not isinstance(obj, bytes):
        return "m" + codec.packb(obj).hex()
    if len(obj) <= 64:
        return "x" + obj.hex()
    return f"h{len(obj)}:{zlib.crc32(obj):08x}"


def compose(producer: int, index: int, length: int) -> bytes:
    """Return a producer's message."""
    head = f"{producer}/{index}/{length}/".encode()
    return head + generated(length, 1000 * producer + index)[len(head) :]


def parse(body: bytes) -> tuple[str, bool]:
    """Return which message this is, and whether it is what its producer made."""
    words = body[:40].split(b"/", 3)
    try:
        producer, index, length = (int(word) for word in words[:3])
    except ValueError:
        return "0/0", False
    right = length == len(body) and compose(producer, index, length) == body
    return f"{producer}/{index}", right
