"""Makes inputs that are nearly right out of right ones: pieces lost, doubled, exchanged, numbers at their ends."""

from collections.abc import Callable, Sequence
from random import Random

INPUT_BYTES_MAX = 64 * 1024
CHANGES_MAX = 8
BYTES_OF_INTEREST = bytes([0, 1, 0x7F, 0x80, 0x90, 0xA0, 0xC0, 0xC1, 0xC4, 0xCA, 0xCF, 0xD3, 0xDC, 0xDF, 0xFE, 0xFF])
NUMBERS_OF_INTEREST = [0, 1, 127, 128, 255, 256, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63, 2**64 - 1]


def make_input(random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """At most INPUT_BYTES_MAX."""
    kind = random.randrange(100)
    if kind < 2:
        return random.randbytes(random.randrange(600))
    changed = bytearray(random.choice(seeds))
    if kind >= 4:
        for _ in range(random.randint(1, CHANGES_MAX)):
            random.choice(CHANGES)(random, changed, seeds, words)
    return bytes(changed[:INPUT_BYTES_MAX])


Change = Callable[[Random, bytearray, Sequence[bytes], Sequence[bytes]], None]


def _span(random: Random, data: bytearray) -> slice:
    start = random.randint(0, len(data))
    return slice(start, start + random.randint(1, random.choice((2, 8, 64, 1024))))


def _flip(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _exchange(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] = random.choice(BYTES_OF_INTEREST)


def _lose(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    del data[_span(random, data)]


def _double(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    span = _span(random, data)
    data[span.start : span.start] = data[span] * random.randint(1, 4)


def _insert(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    data[at:at] = random.randbytes(random.randint(1, 16))


def _say(random: Random, data: bytearray, _seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    span = _span(random, data)
    data[span.start : random.choice((span.start, span.stop))] = random.choice(words) if words else b"x"


def _splice(random: Random, data: bytearray, seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    other = random.choice(seeds)
    at = random.randint(0, len(other))
    data[_span(random, data)] = other[at : at + random.randint(1, 256)]


def _number(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    at, width = random.randint(0, len(data)), random.choice((1, 2, 4, 8))
    number = random.choice(NUMBERS_OF_INTEREST) % 256**width
    data[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))


def _cut(random: Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


CHANGES: Sequence[Change] = (_flip, _exchange, _lose, _double, _insert, _say, _splice, _number, _cut)
