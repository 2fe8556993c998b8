"""Count, extremes and exact sums of a stretch of samples, as they are defined.

Must not know how long an interval is. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def feed(state: "Samples", buf: "Samples") -> None:
    """Add buf[START:STOP] to the summary.

    Args:
        state: array('i'), 10 words, updated; STOP - START at most 16384.
        buf: array('h') of samples x, read only.

    Allocates on 32-bit boards once the sums exceed small integers.
    """
    _feed(state, buf, 1 << 15)


def feed_wide(state: "Samples", buf: "Samples") -> None:
    """`feed` for samples of 17 to 24 bits: buf is array('i'), u = x + 2^23."""
    _feed(state, buf, 1 << 23)


def _feed(state: "Samples", buf: "Samples", offset: int) -> None:
    count, low, high = state[0], state[1], state[2]
    total = state[3] + (state[4] << 30)
    squares = state[5] + (state[6] << 15) + (state[7] << 45)
    for i in range(state[8], state[9]):
        x = buf[i]
        u = x + offset
        count += 1
        low = min(low, u)
        high = max(high, u)
        total += u
        squares += x * x
    state[0], state[1], state[2] = count, low, high
    state[3], state[4] = total & 0x3FFFFFFF, total >> 30
    state[5], state[6], state[7] = squares & 0x7FFF, (squares >> 15) & 0x3FFFFFFF, squares >> 45
