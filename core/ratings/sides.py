"""What is left to chance for each rater, drawn so that it can be drawn again: order on screen, repeats, places of gold items.

Everything is a function of the study's seed, the rater's number and a position, and of nothing that was answered. A position
counts the study's own items in a rater's list from 0; practice, gold and repeats do not count.
"""

from __future__ import annotations

import math

import numpy as np

SIDE_BLOCK = 4
"""Of so many pairs in a row, half are swapped."""
GOLD_EVERY = 10
"""At most one gold item in so many of the study's own, where there are not more of them than fit."""
_SIDE, _REPEAT, _GOLD, _PATH, _ASIDE = range(5)


def _draw(seed: int, rater: int, stream: int, block: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, rater, stream, block])


def swapped(seed: int, rater: int, position: int) -> bool:
    """Return whether the pair at a position is shown the other way round: permuted blocks of `SIDE_BLOCK`."""
    block, place = divmod(position, SIDE_BLOCK)
    return bool(_draw(seed, rater, _SIDE, block).permutation(SIDE_BLOCK)[place] % 2)


def shown_order(seed: int, rater: int, position: int, n: int) -> tuple[int, ...]:
    """Return the places of n outputs in the order shown.

    Pairs go by `swapped`. Of three and more, n items in a row form a Latin square: each output stands once at each place.
    """
    if n < 2:
        return tuple(range(n))
    if n == 2:
        return (1, 0) if swapped(seed, rater, position) else (0, 1)
    block, place = divmod(position, n)
    draw = _draw(seed, rater, _SIDE, block)
    base, turn = draw.permutation(n), int(draw.permutation(n)[place])
    return tuple(int(one) for one in np.roll(base, turn))


def order_aside(seed: int, rater: int, place: int, n: int) -> tuple[int, ...]:
    """Return the order of a practice or gold item, which are no part of the blocks: ``place`` is that in the whole list."""
    return tuple(int(one) for one in _draw(seed, rater, _ASIDE, place).permutation(n))


def comes_back(seed: int, rater: int, position: int, share: float) -> bool:
    """Return whether the item at a position is to be repeated: one, drawn at random, of every 1 / share in a row."""
    if share <= 0:
        return False
    length = max(2, round(1 / share))
    block, place = divmod(position, length)
    return int(_draw(seed, rater, _REPEAT, block).integers(length)) == place


def gold_position(seed: int, rater: int, number: int, n_gold: int, expected: int) -> int:
    """Return the position before which a rater's gold item ``number`` (from 0) comes.

    Args:
        seed: the study's.
        rater: the rater's number.
        number: which of the gold items.
        n_gold: how many there are.
        expected: how many of the study's own items a rater is likely to see; gold items are spread over them.
    """
    every = int(np.clip(expected // max(1, n_gold), 1, GOLD_EVERY))
    return number * every + int(_draw(seed, rater, _GOLD, number).integers(every))


def path(seed: int, rater: int, n: int) -> tuple[int, int]:
    """Return (a, b) such that place -> (a * place + b) mod n is an order of n items that is this rater's own.

    Raters who went the same way would give early items their fresh eyes and late ones their tired ones.
    """
    draw = _draw(seed, rater, _PATH)
    start = int(draw.integers(n))
    while math.gcd(step := int(draw.integers(1, n + 1)), n) != 1:
        pass
    return step, start
