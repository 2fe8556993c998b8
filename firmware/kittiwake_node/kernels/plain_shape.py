"""Moving bytes by definition: strided copies, fills, shift buffers, and the executor's own input and output.

Must not know what the bytes mean. Runs anywhere; descriptors: see SPEC.md.
"""

from .plain_requant import find, word, words


def address(buffer):
    """The lowest bits of a buffer's address; the definition needs none. Does not allocate."""
    return 0


def put(target, at, source, count):
    """Write source's first bytes to target[at:]. Does not allocate on MicroPython.

    Args:
        target: bytearray.
        at: index.
        source: buffer of bytes or int8.
        count: bytes.
    """
    for i in range(count):
        target[at + i] = source[i] & 0xFF


def take(target, source, at, count):
    """Write source[at:] to target's first bytes. Does not allocate on MicroPython.

    Args:
        target: bytearray.
        source: buffer of bytes.
        at: index.
        count: bytes.
    """
    for i in range(count):
        target[i] = source[at + i]


def shift(at, plan, scratch, state):
    """Move the kept rows of each shift buffer to its front.

    Args:
        at: offset of the descriptor in the plan: a count, then (to, from, bytes) each.
        plan, scratch, state: buffers; state is written. Allocates.
    """
    for n in range(word(plan, at)):
        to, start, count = words(plan, at + 4 + 12 * n, 3)
        buffer, to = find(to, plan, scratch, state)
        start = start & 0xFFFFFFF
        for i in range(count):
            buffer[to + i] = buffer[start + i]


def copy(at, plan, scratch, state):
    """Copy an array of four dimensions, each with its own stride on both sides.

    Args:
        at: offset of the descriptor in the plan.
        plan, scratch, state: buffers; the last two are written. Allocates.
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


def fill(at, plan, scratch, state):
    """Set a run of bytes to one value.

    Args:
        at: offset of the descriptor in the plan: address, count, value.
        plan, scratch, state: buffers; the last two are written. Allocates.
    """
    ref, count, value = words(plan, at, 3)
    target, start = find(ref, plan, scratch, state)
    for i in range(count):
        target[start + i] = value
