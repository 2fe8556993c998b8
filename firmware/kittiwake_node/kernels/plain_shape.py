"""Moving bytes by definition: fills, shift buffers, and the executor's own input and output.

Must not know what the bytes mean. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, word, words

if False:  # for mypy alone
    from kittiwake_types import Buffer, Memory


def address(buffer: "Buffer") -> int:
    """The lowest bits of a buffer's address; the definition needs none. Does not allocate."""
    return 0


def put(target: "Memory", at: int, source: "Buffer", count: int) -> None:
    """Write source's first bytes to target[at:]. Does not allocate on MicroPython.

    Args:
        target: bytearray.
        at: index.
        source: buffer of bytes or int8.
        count: bytes.
    """
    for i in range(count):
        target[at + i] = source[i] & 0xFF


def take(target: "Memory", source: "Buffer", at: int, count: int) -> None:
    """Write source[at:] to target's first bytes. Does not allocate on MicroPython.

    Args:
        target: bytearray.
        source: buffer of bytes.
        at: index.
        count: bytes.
    """
    for i in range(count):
        target[i] = source[at + i]


def shift(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Move the kept rows of each shift buffer to its front.

    Args:
        at: offset of the descriptor in the plan: a count, then (to, from, bytes) each.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; read only.
        state: RAM of the model; written.

    Allocates.
    """
    for n in range(word(plan, at)):
        to, start, count = words(plan, at + 4 + 12 * n, 3)
        buffer, to = find(to, plan, scratch, state)
        start = start & 0xFFFFFFF
        for i in range(count):
            buffer[to + i] = buffer[start + i]


def fill(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Set a run of bytes to one value.

    Args:
        at: offset of the descriptor in the plan: address, count, value.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    ref, count, value = words(plan, at, 3)
    target, start = find(ref, plan, scratch, state)
    for i in range(count):
        target[start + i] = value
