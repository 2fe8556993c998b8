"""Elementwise int8 layers by definition: sums and products of two arrays.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, saturate, scale, signed, signed_word, words

if False:  # for mypy alone
    from kittiwake_types import Memory


def add(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Add two arrays, each byte's share looked up in its array's table of words.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 21)
    a, b, target, out, pairs = _both(d, plan, scratch, state)
    for i, j in pairs:
        total = signed_word(plan, d[15] + 4 * a[i]) + signed_word(plan, d[16] + 4 * b[j])
        target[out] = saturate(scale(total, d[17], d[18], d[19]) + d[20] - 128)
        out += 1


def mul(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Multiply two arrays.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 21)
    a, b, target, out, pairs = _both(d, plan, scratch, state)
    for i, j in pairs:
        product = (signed(a[i]) - d[15] + 128) * (signed(b[j]) - d[16] + 128)
        target[out] = saturate(scale(product, d[17], d[18], d[19]) + d[20] - 128)
        out += 1


def _both(
    d: tuple[int, ...], plan: "Memory", scratch: "Memory", state: "Memory"
) -> "tuple[Memory, Memory, Memory, int, list[tuple[int, int]]]":
    a, first = find(d[0], plan, scratch, state)
    b, second = find(d[1], plan, scratch, state)
    target, out = find(d[2], plan, scratch, state)
    pairs = []
    for i in range(d[3]):
        for j in range(d[4]):
            for k in range(d[5]):
                for n in range(d[6]):
                    at = first + i * d[7] + j * d[8] + k * d[9] + n * d[10]
                    pairs.append((at, second + i * d[11] + j * d[12] + k * d[13] + n * d[14]))
    return a, b, target, out, pairs
