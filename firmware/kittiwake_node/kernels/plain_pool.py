"""Pooling int8 layers by definition: average, largest, and the mean over whole axes.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import element, find, saturate, scale, words

if False:  # for mypy alone
    from collections.abc import Iterator, Sequence

    from kittiwake_types import Memory

_SUM_OFFSET = 1 << 29
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_CHANNELS = 2
_KEPT_SIZES = 2
_ROWS = 3
_COLS = 4
_HEIGHT = 5
_KEPT_STRIDES = 5
_WIDTH = 6
_FILTER_HEIGHT = 7
_FILTER_WIDTH = 8
_JOINED_SIZES = 8
_STRIDE_DOWN = 9
_STRIDE_ACROSS = 10
_JOINED_STRIDES = 11
_PAD_ABOVE = 11
_PAD_LEFT = 12
_IN_ROW = 13
_IN_COL = 14
_M = 14
_OUT_ROW = 15
_RIGHT = 15
_LEFT = 16
_OUT_COL = 16
_ZERO = 17
_BIAS = 18


def average(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Average over a window, what lies outside the image left out; rounded half away from zero.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    for target, out, values in windows(words(plan, at, 17), plan, scratch, state, 1):
        target[out] = rounded_average(values) & 0xFF


def largest(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Take the largest of a window.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    for target, out, values in windows(words(plan, at, 17), plan, scratch, state, 1):
        target[out] = max(values) & 0xFF


def rounded_average(values: list[int]) -> int:
    """The average of integers, rounded half away from zero.

    Args:
        values: at least one.
    """
    total, middle = sum(values), len(values) // 2
    return (total + middle) // len(values) if total > 0 else -((middle - total) // len(values))


def windows(
    d: tuple[int, ...], plan: "Memory", scratch: "Memory", state: "Memory", width: int
) -> "Iterator[tuple[Memory, int, list[int]]]":
    """Take what each output of a pool sees.

    Args:
        d: words of a pool.
        plan: the model's plan.
        scratch: RAM of the invoke.
        state: RAM of the model.
        width: bytes of an element, 1 or 2.

    Yields:
        (buffer of the output, its first byte there, values). Allocates.
    """
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for y in range(d[_ROWS]):
        top = y * d[_STRIDE_DOWN] - d[_PAD_ABOVE]
        for x in range(d[_COLS]):
            left = x * d[_STRIDE_ACROSS] - d[_PAD_LEFT]
            for c in range(d[_CHANNELS]):
                values = []
                for row in range(max(0, top), min(d[_HEIGHT], top + d[_FILTER_HEIGHT])):
                    for col in range(max(0, left), min(d[_WIDTH], left + d[_FILTER_WIDTH])):
                        place = first + row * d[_IN_ROW] + col * d[_IN_COL] + width * c
                        values.append(element(source, place, width))
                yield target, out + y * d[_OUT_ROW] + x * d[_OUT_COL] + width * c, values


def mean(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Add up over some axes and scale.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 19)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for total in totals(d, source, first, 1):
        total += d[_BIAS] - _SUM_OFFSET
        target[out] = saturate(scale(total, d[_M], d[_RIGHT], d[_LEFT]) + d[_ZERO] - 128)
        out += 1


def totals(d: tuple[int, ...], source: "Memory", first: int, width: int) -> "Iterator[int]":
    """Add up over the joined axes.

    Args:
        d: words of a mean.
        source: buffer of the input.
        first: its first byte.
        width: bytes of an element, 1 or 2.

    Yields:
        The sum of each output. Allocates.
    """
    for kept in _offsets(d[_KEPT_SIZES:_KEPT_STRIDES], d[_KEPT_STRIDES:_JOINED_SIZES]):
        total = 0
        for joined in _offsets(d[_JOINED_SIZES:_JOINED_STRIDES], d[_JOINED_STRIDES:_M]):
            total += element(source, first + kept + joined, width)
        yield total


def _offsets(sizes: "Sequence[int]", strides: "Sequence[int]") -> list[int]:
    found = []
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            for k in range(sizes[2]):
                found.append(i * strides[0] + j * strides[1] + k * strides[2])
    return found
