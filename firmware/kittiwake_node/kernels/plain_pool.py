"""Pooling int8 layers by definition: average, largest, and the mean over whole axes.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, saturate, scale, signed, words

if False:  # for mypy alone
    from collections.abc import Iterator, Sequence

    from kittiwake_types import Memory

_SUM_OFFSET = 1 << 29


def average(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Average over a window, what lies outside the image left out; rounded half away from zero.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    for target, out, values in _windows(at, plan, scratch, state):
        total, half = sum(values), len(values) // 2
        if total > 0:
            target[out] = (total + half) // len(values) & 0xFF
        else:
            target[out] = -((half - total) // len(values)) & 0xFF


def largest(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Take the largest of a window.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    for target, out, values in _windows(at, plan, scratch, state):
        target[out] = max(values) & 0xFF


def _windows(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> "Iterator[tuple[Memory, int, list[int]]]":
    d = words(plan, at, 17)
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    for y in range(d[3]):
        top = y * d[9] - d[11]
        for x in range(d[4]):
            left = x * d[10] - d[12]
            for c in range(d[2]):
                values = []
                for row in range(max(0, top), min(d[5], top + d[7])):
                    for col in range(max(0, left), min(d[6], left + d[8])):
                        values.append(signed(source[first + row * d[13] + col * d[14] + c]))
                yield target, out + y * d[15] + x * d[16] + c, values


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
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    for kept in _offsets(d[2:5], d[5:8]):
        total = d[18] - _SUM_OFFSET
        for joined in _offsets(d[8:11], d[11:14]):
            total += signed(source[first + kept + joined])
        target[out] = saturate(scale(total, d[14], d[15], d[16]) + d[17] - 128)
        out += 1


def _offsets(sizes: "Sequence[int]", strides: "Sequence[int]") -> list[int]:
    found = []
    for i in range(sizes[0]):
        for j in range(sizes[1]):
            for k in range(sizes[2]):
                found.append(i * strides[0] + j * strides[1] + k * strides[2])
    return found
