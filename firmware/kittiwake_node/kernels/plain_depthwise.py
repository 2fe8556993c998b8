"""Depthwise int8 layers by definition: every channel has a filter of its own.

Must not know who calls it. Runs anywhere, in any layout of the weights; descriptor: see docs/spec/model-plan.md.
"""

from .plain_conv import channel
from .plain_requant import element, find, saturate, scale, words

if False:  # for mypy alone
    from collections.abc import Iterator

    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_STREAM = 2
_CHANNELS = 3
_FILTER_HEIGHT = 4
_FILTER_WIDTH = 5
_ROWS = 6
_COLS = 7
_IN_ROW = 8
_IN_COL = 9
_OUT_ROW = 10
_OUT_COL = 11
_TAP_DOWN = 12
_TAP_ACROSS = 13
_ZERO = 14
_WEIGHT_LAYOUT = 17


def depthwise(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a depthwise layer, one output a channel of the input.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 18)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    taps = d[_FILTER_HEIGHT] * d[_FILTER_WIDTH]
    padded = -(-taps // 4) * 4 if d[_WEIGHT_LAYOUT] == 0 else taps
    for c in range(d[_CHANNELS]):
        weights, bias, m, right, left = channel(plan, d[_STREAM], padded, d[_WEIGHT_LAYOUT], c, True)
        for place, total in sums(d, weights, source, first + c, 1):
            target[out + place + c] = saturate(scale(total + bias, m, right, left) + d[_ZERO] - 128)


def sums(
    d: tuple[int, ...], weights: list[int], source: "Memory", first: int, width: int
) -> "Iterator[tuple[int, int]]":
    """Take one channel through its filter.

    Args:
        d: words of a depthwise layer.
        weights: of the channel.
        source: buffer of the input.
        first: the channel's first byte.
        width: bytes of an element, 1 or 2.

    Yields:
        (bytes from the output's first to that of a pixel, sum of products).
    """
    for y in range(d[_ROWS]):
        for x in range(d[_COLS]):
            base = first + y * d[_IN_ROW] + x * d[_IN_COL]
            total = 0
            for ky in range(d[_FILTER_HEIGHT]):
                for kx in range(d[_FILTER_WIDTH]):
                    tap = base + ky * d[_TAP_DOWN] + kx * d[_TAP_ACROSS]
                    total += weights[ky * d[_FILTER_WIDTH] + kx] * element(source, tap, width)
            yield y * d[_OUT_ROW] + x * d[_OUT_COL], total
