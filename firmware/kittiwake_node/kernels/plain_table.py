"""Functions of one byte by definition: a table of 256 entries.

Must not know which function a table holds. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, words

if False:  # for mypy alone
    from kittiwake_types import Memory


def table(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Replace each byte by its entry in a table of 256.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 7)
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    for row in range(d[3]):
        for i in range(d[4]):
            target[out + row * d[6] + i] = plan[d[2] + source[first + row * d[5] + i]]


def widen(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Replace each byte by its entry of four bytes in a table of 256.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 4)
    source, first = find(d[0], plan, scratch, state)
    target, out = find(d[1], plan, scratch, state)
    for i in range(d[3]):
        entry = d[2] + 4 * source[first + i]
        for k in range(4):
            target[out + 4 * i + k] = plan[entry + k]
