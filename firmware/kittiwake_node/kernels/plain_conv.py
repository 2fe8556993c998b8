"""Dense int8 layers by definition: every output is a dot product over the bytes that its filter covers.

Must not know who calls it. Runs anywhere, in any layout of the weights; descriptor: see plain_requant and
docs/spec/model-plan.md.
"""

from .plain_requant import element, find, saturate, scale, signed, signed_word, word, words

if False:  # for mypy alone
    from collections.abc import Iterator

    from kittiwake_types import Memory

_LAYOUT_ROWS = 0  # weight layouts, as the descriptor numbers them
_LAYOUT_QUADS = 1
_BIAS_OFFSET = 1 << 29
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_STREAM = 2
_OUTPUTS = 3
_INPUTS = 4
_FILLED = 5
_ROWS = 6
_COLS = 7
_IN_ROW = 8
_IN_COL = 9
_OUT_ROW = 10
_OUT_COL = 11
_SEGMENTS = 12
_SEGMENT_BYTES = 13
_SEGMENT_OFFSETS = 14
_ZERO = 16
_WEIGHT_LAYOUT = 18


def channel(
    plan: "Memory", stream: int, padded: int, layout: int, c: int, depthwise: bool
) -> tuple[list[int], int, int, int, int]:
    """Read one channel of a stream.

    Args:
        plan: buffer.
        stream: offset of the stream.
        padded: weights a channel, with what fills up.
        layout: 0 rows, 1 quads, 2 pairs.
        c: the channel.
        depthwise: whether the weights are taps.

    Returns:
        (weights, bias, m, right, left), weights signed. Allocates.
    """
    rows = 1 if layout == _LAYOUT_ROWS else 4
    block = rows * (8 + padded + 2)
    block += -block % 4
    at = stream + c // rows * block
    r = c % rows
    body = at + 4 * rows
    if layout == _LAYOUT_ROWS:
        weights = [plan[body + k] - 128 for k in range(padded)]
    elif layout == _LAYOUT_QUADS or depthwise:
        weights = [signed(plan[body + 4 * k + r]) for k in range(padded)]
    else:
        weights = [signed(plan[body + k // 4 * 16 + 4 * r + k % 4]) for k in range(padded)]
    tail = body + padded * rows
    bias = signed_word(plan, at + 4 * r)
    if layout == _LAYOUT_ROWS:  # what unsigned bytes would add is in there: see layout.py
        bias += 128 * sum(weights[:padded]) - _BIAS_OFFSET
    shifts = tail + 4 * rows
    left = plan[shifts + rows + r] - (0 if layout == _LAYOUT_ROWS else 1)  # the other layouts' kernels want it 1 more
    return weights, bias, word(plan, tail + 4 * r), plan[shifts + r], left


def conv(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a dense layer: convolution, or fully connected as a convolution of one pixel.

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
    for place, line in lines(d, plan, source, first, 1):
        for c in range(d[_OUTPUTS]):
            weights, total, m, right, left = channel(plan, d[_STREAM], d[_FILLED], d[_WEIGHT_LAYOUT], c, False)
            for k in range(d[_INPUTS]):
                total += weights[k] * line[k]
            target[out + place + c] = saturate(scale(total, m, right, left) + d[_ZERO] - 128)


def lines(
    d: tuple[int, ...], plan: "Memory", source: "Memory", first: int, width: int
) -> "Iterator[tuple[int, list[int]]]":
    """Gather what is under the filter, pixel by pixel.

    Args:
        d: words of a dense layer.
        plan: the model's plan.
        source: buffer of the input.
        first: its first byte.
        width: bytes of an element, 1 or 2.

    Yields:
        (bytes from the output's first to those of a pixel, values of the inputs). Allocates.
    """
    for y in range(d[_ROWS]):
        for x in range(d[_COLS]):
            base = first + y * d[_IN_ROW] + x * d[_IN_COL]
            line = []
            for s in range(d[_SEGMENTS]):
                start = base + word(plan, d[_SEGMENT_OFFSETS] + 4 * s)
                line += [element(source, start + k, width) for k in range(0, d[_SEGMENT_BYTES], width)]
            yield y * d[_OUT_ROW] + x * d[_OUT_COL], line
