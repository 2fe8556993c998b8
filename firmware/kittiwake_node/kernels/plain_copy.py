"""Strided copies by definition.

Must not know what the bytes mean. Runs anywhere; descriptor: see docs/spec/model-plan.md.
"""

from .plain_requant import find, words

if False:  # for mypy alone
    from kittiwake_types import Memory


def copy(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Copy an array of four dimensions, each with its own stride on both sides.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 14)
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    for a in range(d[2]):
        for b in range(d[3]):
            for c in range(d[4]):
                start = first + a * d[6] + b * d[7] + c * d[8]
                to = out + a * d[10] + b * d[11] + c * d[12]
                for i in range(d[5]):
                    target[to + i * d[13]] = source[start + i * d[9]]
