"""Count samples at or beyond the ends of their range.

Must not know what made them. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def count(state: "Samples", buf: "Samples") -> int:
    """Count in buf[START:STOP].

    Args:
        state: array('i'), 4 words, read only.
        buf: array('h'), read only.

    Returns:
        How many samples are at LOW or below, or at HIGH or above.
    """
    low, high = state[0] - (1 << 15), state[1] - (1 << 15)
    found = 0
    for i in range(state[2], state[3]):
        if buf[i] <= low or buf[i] >= high:
            found += 1
    return found
