"""Keep the newest samples, and count crossings of a level: what snapshots and baselines need of every sample.

Must not know what the samples are kept for. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def keep(state: "Samples", ring: "Samples", buf: "Samples") -> None:
    """Copy buf[START:STOP] into the ring behind what was copied before.

    Args:
        state: array('i'), 4 words; POS is updated.
        ring: array('h') of LEN samples.
        buf: array('h'), read only.
    """
    length, pos = state[0], state[1]
    for i in range(state[2], state[3]):
        ring[pos] = buf[i]
        pos = pos + 1 if pos + 1 < length else 0
    state[1] = pos


def cross(state: "Samples", buf: "Samples") -> None:
    """Count how often buf[START:STOP] goes from below LEVEL to it or above, and back.

    Args:
        state: array('i'), 5 words; SIDE and COUNT are updated.
        buf: array('h'), read only.
    """
    level, side, count = state[0] - (1 << 15), state[1], state[4]
    for i in range(state[2], state[3]):
        now = 1 if buf[i] >= level else 0
        if now != side:
            count += 1
            side = now
    state[1], state[4] = side, count
