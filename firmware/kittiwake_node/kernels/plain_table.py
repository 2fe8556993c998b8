"""Functions of one byte by definition: a table of 256 entries.

Must not know which function a table holds. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, words

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_TABLE = 2
_COUNT = 3
_ROWS = 3
_ROW_BYTES = 4
_IN_ROW = 5
_OUT_ROW = 6


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
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for row in range(d[_ROWS]):
        for i in range(d[_ROW_BYTES]):
            target[out + row * d[_OUT_ROW] + i] = plan[d[_TABLE] + source[first + row * d[_IN_ROW] + i]]


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
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for i in range(d[_COUNT]):
        entry = d[_TABLE] + 4 * source[first + i]
        for k in range(4):
            target[out + 4 * i + k] = plan[entry + k]
