"""States of a machine in rational arithmetic: a block of samples to a network's input, outputs to changes of state.

Source: the definitions in docs/spec/model-plan.md and docs/explanation/networks.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

_HALF = Fraction(1, 2)


def quantised(block: Sequence[int], factor: Fraction, zero: int) -> list[int]:
    """A block as int8: each sample less the mean (rounded half up), times the factor, rounded half up, saturating."""
    mean = math.floor(Fraction(sum(block), len(block)) + _HALF)
    return [max(-128, min(127, math.floor((x - mean) * factor + _HALF) + zero)) for x in block]


def changes(outputs: Sequence[Sequence[int]], blocks: int, margin: int) -> Iterator[tuple[int, int, int, int | None]]:
    """The changes of state that a network's outputs make.

    Args:
        outputs: int8 of each block, one a state.
        blocks: so many in a row must be told for a new state.
        margin: steps of the output by which each of them must be ahead of the state that holds.

    Yields:
        (number of the block that decided, the new state, its output as 0 to 255, the state before or None).
    """
    held: int | None = None
    since = 0  # blocks before this one no longer count
    for number, row in enumerate(outputs):
        told = row.index(max(row))
        last = outputs[max(since, number + 1 - blocks) : number + 1]
        agree = [each.index(max(each)) == told for each in last]
        ahead = [held is None or max(each) - each[held] >= margin for each in last]
        if told != held and len(last) == blocks and all(agree) and all(ahead):
            yield number, told, row[told] + 128, held
            held, since = told, number + 1
