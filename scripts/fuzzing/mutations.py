"""Mutations of files: bits and pieces of any file, fields of containers, tokens of texts."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Literal

Rng = random.Random
Mutation = Callable[[Rng, bytearray, Sequence[bytes]], bytearray]
"""Takes the random generator, the content, and other files of the same kind; returns the damaged content."""

INTEGERS = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    60_000,
    655_350,
    10_000_000,
    0x7FFFFFFF,
    0x80000000,
)
HUGE = (0xFFFFFFFF, 0xFFFFFFFE, 1 << 32, 1 << 36, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
NUMBERS = (
    "0", "-0", "1", "-1", "1e308", "-1e308", "1e309", "1e-320", "nan", "-inf", "inf", "0.999999", "1e9", "1e-9",
    "65536", "9223372036854775808", "1" * 400, "0x7fffffff", "1_000", "true", "''", "[]", "{}", "[[1,2],[3,4]]",
    "1979-05-27", "1,5", "+5", "3600000", "48000", "2.0833E-5",
)  # fmt: skip
SNIPPETS = (
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\x1b[31m", b"\xe2\x80\xae", b"../", b"/etc/passwd",
    b"-", b"%s%n", b"#", b'"', b"'''", b"[[", b"]]", b"=", b";", b"//", b"\xf0\x9f\x94\x8a", b"\x80",
)  # fmt: skip
_HEADER = 200
_LARGEST = 400_000  # bytes, the maximum of a case


def mutated(rng: Rng, data: bytes, others: Sequence[bytes], mutations: Sequence[Mutation]) -> bytes:
    """Return a file after one to four mutations."""
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        broken = rng.choice(mutations)(rng, broken, others)
        del broken[_LARGEST:]
    return bytes(broken)


def flip(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Flip some bits."""
    for _ in range(rng.choice((1, 2, 8, 64))):
        if data:
            data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return data


def poke(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Write a number that often causes errors, of any width and byte order."""
    width = rng.choice((1, 2, 4, 8))
    order: Literal["little", "big"] = "little" if rng.random() < 0.5 else "big"
    value = rng.choice((*INTEGERS, *HUGE, rng.getrandbits(64))) & ((1 << 8 * width) - 1)
    place = _place(rng, data)
    data[place : place + width] = value.to_bytes(width, order)
    return data


def truncate(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Cut the end."""
    del data[_place(rng, data) :]
    return data


def remove(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Remove a piece."""
    place = _place(rng, data)
    del data[place : place + rng.choice((1, 2, 4, 16, 500))]
    return data


def repeat(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Repeat a piece."""
    place = _place(rng, data)
    piece = data[place : place + rng.choice((1, 4, 16, 100, 1000))]
    data[place:place] = piece * rng.choice((1, 1, 2, 10, 300))
    return data


def splice(rng: Rng, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Continue with the rest of another file."""
    other = rng.choice(others)
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def insert(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Insert noise or a problematic snippet."""
    place = _place(rng, data)
    data[place:place] = rng.choice((rng.choice(SNIPPETS), rng.randbytes(rng.choice((1, 4, 40)))))
    return data


BYTES: tuple[Mutation, ...] = (flip, flip, poke, poke, poke, truncate, remove, repeat, splice, insert)


def chunks(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Damage the chunks of RIFF, AIFF and similar formats: sizes, order, names, format fields."""
    big = bytes(data[:4]) in (b"FORM", b"RIFX")
    form = ">I" if big else "<I"
    found: list[tuple[int, int]] = []
    place = 12
    while place + 8 <= len(data) and len(found) < 64:
        (size,) = struct.unpack_from(form, data, place + 4)
        found.append((place, size))
        place += 8 + size + size % 2
    if not found:
        return poke(rng, data, _others)
    start, size = rng.choice(found)
    end = min(start + 8 + size + size % 2, len(data))
    choice = rng.randrange(5)
    if choice == 0:
        struct.pack_into(
            form,
            data,
            start + 4,
            rng.choice((*INTEGERS, 0xFFFFFFFF, size + 1, max(size - 1, 0), size * 2)) & 0xFFFFFFFF,
        )
    elif choice == 1:
        data[start:start] = data[start:end]
    elif choice == 2:
        data[start : start + 4] = rng.choice(
            (b"fmt ", b"data", b"LIST", b"ds64", b"COMM", b"SSND", b"JUNK", b"bext", b"cart", b"PEAK")
        )
    elif choice == 3:
        piece = data[start:end]
        del data[start:end]
        data.extend(piece)
    else:  # a field of the first chunk, usually the format
        first = found[0][0] + 8
        width = rng.choice((2, 4))
        at = min(first + width * rng.randrange(10), max(len(data) - width, 0))
        value = rng.choice(INTEGERS) & ((1 << 8 * width) - 1)
        data[at : at + width] = value.to_bytes(width, "big" if big else "little")
    return data


def flac_stream(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Damage the header of a FLAC: block sizes, rate, channels, bits, length (RFC 9639, 8.2)."""
    at = data.find(b"fLaC") + 8
    if at < 8 or len(data) < at + 18:
        return flip(rng, data, _others)
    packed = int.from_bytes(data[at + 10 : at + 18], "big")
    shift, bits = rng.choice(((44, 20), (41, 3), (36, 5), (0, 36)))
    mask = (1 << bits) - 1
    value = rng.choice((0, 1, 2, 7, mask, mask >> 1, rng.getrandbits(bits))) & mask
    data[at + 10 : at + 18] = (packed & ~(mask << shift) | value << shift).to_bytes(8, "big")
    if rng.random() < 0.3:
        data[at : at + 2] = rng.choice((b"\0\0", b"\0\x10", b"\xff\xff"))
    return data


def ogg_pages(rng: Rng, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Damage a page of an Ogg file and correct its checksum, so that the decoder reads it."""
    starts = [n for n in range(len(data)) if data.startswith(b"OggS", n)]
    if not starts:
        return flip(rng, data, others)
    number = rng.randrange(min(len(starts), 4)) if rng.random() < 0.7 else rng.randrange(len(starts))
    start = starts[number]
    end = starts[number + 1] if number + 1 < len(starts) else len(data)
    page = data[start:end]
    page = rng.choice((flip, poke, poke))(rng, page, others)
    if len(page) > 27:
        page[22:26] = bytes(4)
        page[22:26] = _ogg_checksum(page).to_bytes(4, "little")
    data[start:end] = page
    return data


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return table


_CRC = _crc_table()


def _ogg_checksum(page: bytearray) -> int:
    """Return the checksum of a page whose checksum field is zero (RFC 3533, 6)."""
    value = 0
    for byte in page:
        value = ((value << 8) & 0xFFFFFFFF) ^ _CRC[(value >> 24) ^ byte]
    return value


def number_token(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Replace a number with another one."""
    places = [n for n in range(len(data)) if data[n : n + 1].isdigit() and not data[n - 1 : n].isdigit()]
    if not places:
        return insert(rng, data, _others)
    start = rng.choice(places)
    end = start
    while end < len(data) and chr(data[end]) in "0123456789.eE":
        end += 1
    data[start:end] = rng.choice((*NUMBERS, str(rng.getrandbits(rng.choice((4, 16, 40)))))).encode()
    return data


def line(rng: Rng, data: bytearray, others: Sequence[bytes]) -> bytearray:
    """Repeat, remove, exchange or copy lines."""
    lines = bytes(data).split(b"\n")
    n, m = rng.randrange(len(lines)), rng.randrange(len(lines))
    choice = rng.randrange(5)
    if choice == 0:
        lines[n:n] = [lines[n]] * rng.choice((1, 2, 10, 3000))
    elif choice == 1:
        del lines[n]
    elif choice == 2:
        lines[n], lines[m] = lines[m], lines[n]
    elif choice == 3:
        lines[n] = rng.choice(rng.choice(others).split(b"\n"))
    else:
        lines[min(n, m) : max(n, m)] = lines[min(n, m) : max(n, m)] * rng.choice((2, 3, 100))
    return bytearray(b"\n".join(lines))


def nest(rng: Rng, data: bytearray, _others: Sequence[bytes]) -> bytearray:
    """Insert nested brackets, or a key with thousands of parts."""
    deep = rng.choice((2, 10, 300, 20_000))
    place = _place(rng, data)
    data[place:place] = rng.choice(
        (
            b"[" * deep,
            b"[[step]]\n" * deep,
            b"a." * deep,
            b"x = " + b"[" * deep + b"]" * deep,
            b'"' * deep,
            b"{a=" * deep,
            b"\n[[step.branch]]\n[[step.branch.step]]" * deep,
        )
    )
    return data


TEXT: tuple[Mutation, ...] = (
    number_token,
    number_token,
    number_token,
    line,
    line,
    nest,
    insert,
    flip,
    truncate,
    splice,
)


def _place(rng: Rng, data: bytes | bytearray) -> int:
    """Return an index, usually near the beginning."""
    length = max(len(data), 1)
    return rng.randrange(min(length, _HEADER)) if rng.random() < 0.6 else rng.randrange(length)
