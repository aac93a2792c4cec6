"""Sets of post ids as whole numbers, one for each block of 4096 ids, and how they are stored in 512 bytes at most."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import compress
from sys import byteorder

SIZE = 4096
BITMAP_BYTES = SIZE // 8

Bits = dict[int, int]  # number of the block -> its posts, one bit for each


def place(post_id: int) -> tuple[int, int]:
    """The block of a post and the bit in it."""
    return post_id // SIZE, 1 << post_id % SIZE


def pack(bits: int) -> bytes:
    """Two bytes for a post while that is shorter than the bitmap, then the bitmap."""
    if bits.bit_count() * 2 >= BITMAP_BYTES:
        return bits.to_bytes(BITMAP_BYTES, "little")
    return _listed(array("H", _numbers(bits)))


def unpack(stored: bytes) -> int:
    if len(stored) == BITMAP_BYTES:
        return int.from_bytes(stored, "little")
    if len(stored) == 2:  # most words stand in one post only
        return 1 << _list(stored)[0]
    bitmap = bytearray(BITMAP_BYTES)
    for number in _list(stored):
        bitmap[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(bitmap, "little")


def unpack_any(stored: list[bytes]) -> int:
    """The posts that stand in any of these, much faster than one after the other."""
    lists = bytearray()
    bits = 0
    for posts in stored:
        if len(posts) == BITMAP_BYTES:
            bits |= int.from_bytes(posts, "little")
        else:
            lists += posts
    bitmap = bytearray(BITMAP_BYTES)
    for number in set(_list(lists)):
        bitmap[number >> 3] |= 1 << (number & 7)
    return bits | int.from_bytes(bitmap, "little")


def merge(stored: bytes, added: int, removed: int) -> bytes:
    """Return the block after some posts came and others went; empty when none is left."""
    if not removed and len(stored) + 2 * added.bit_count() < BITMAP_BYTES:
        numbers = _list(stored)
        numbers.extend(number for number in _numbers(added) if number not in numbers)
        return _listed(numbers)
    return pack((unpack(stored) | added) & ~removed)


def _list(stored: bytes | bytearray) -> array[int]:
    numbers = array("H", bytes(stored))
    if byteorder == "big":
        numbers.byteswap()
    return numbers


def _listed(numbers: array[int]) -> bytes:
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def ids(bits: Bits) -> Iterator[int]:
    """The post ids, by block."""
    for block, of_block in bits.items():
        first = block * SIZE
        for number in _numbers(of_block):
            yield first + number


def of(post_ids: Iterable[int]) -> Bits:
    """The set of these posts."""
    found: Bits = {}
    for post_id in post_ids:
        block, bit = place(post_id)
        found[block] = found.get(block, 0) | bit
    return found


def count(bits: Bits) -> int:
    return sum(of_block.bit_count() for of_block in bits.values())


def union(sets: Iterable[Bits]) -> Bits:
    found: Bits = {}
    for bits in sets:
        for block, of_block in bits.items():
            found[block] = found.get(block, 0) | of_block
    return found


def intersection(sets: Iterable[Bits]) -> Bits:
    """Posts in every set; no sets at all hold nothing."""
    every = iter(sets)
    found = dict(next(every, {}))
    for bits in every:
        found = {block: both for block, of_block in found.items() if (both := of_block & bits.get(block, 0))}
    return found


def difference(bits: Bits, without: Bits) -> Bits:
    return {block: rest for block, of_block in bits.items() if (rest := of_block & ~without.get(block, 0))}


def at_least(number: int, sets: list[Bits]) -> Bits:
    """Posts in that many of the sets or more."""
    found: Bits = {}
    for block in {block for bits in sets for block in bits}:
        in_more = [0] * (number + 1)  # in_more[n]: in n sets or more of those seen so far
        in_more[0] = (1 << SIZE) - 1
        for bits in sets:
            of_block = bits.get(block, 0)
            for wanted in range(number, 0, -1):
                in_more[wanted] |= in_more[wanted - 1] & of_block
        if in_more[number]:
            found[block] = in_more[number]
    return found


_OF_BYTE = [[bit for bit in range(8) if byte >> bit & 1] for byte in range(256)]


def _numbers(bits: int) -> Iterator[int]:
    if bits.bit_count() == 1:
        yield bits.bit_length() - 1
        return
    bitmap = bits.to_bytes(BITMAP_BYTES, "little")
    for index in compress(range(BITMAP_BYTES), bitmap):
        for bit in _OF_BYTE[bitmap[index]]:
            yield index * 8 + bit
