"""The rolling z-score as it is defined: exact integers, no other concern.

The other sets' zscore files compute the same; this one is for reading and for machines without native code. It must not
know how alerts are reported. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def find(state: "Samples", ring: "Samples", buf: "Samples") -> int:
    """Feed buf[START:STOP] until a sample is anomalous in the window of the last N samples, itself included.

    Args:
        state: array('i'), 15 words; sums, position and count are updated.
        ring: array('H') of N offset samples (u = x + 2^15); overwritten in turn.
        buf: array('h') of samples x, read only.

    Returns:
        Index of the first anomalous sample, already in the window; STOP when there is none.

    Allocates on 32-bit boards: the products exceed small integers.
    Source: the guide's detector, |x - mean| > t·stdev with the sample standard deviation, multiplied out:
    q²·(n - 1)·D² > p²·n·V.
    """
    return find_offset(state, ring, buf, 1 << 15)


def find_offset(state: "Samples", ring: "Samples", buf: "Samples", offset: int) -> int:
    """`find` for samples kept as u = x + offset.

    Args:
        state: as for `find`.
        ring: as for `find`.
        buf: as for `find`, or array('i').
        offset: 2^15, or 2^23 for samples of more than 16 bits.
    """
    n, pos, count = state[0], state[1], state[2]
    total = state[3] + (state[4] << 26)
    v = state[5] + (state[6] << 14) + (state[7] << 44)
    a, b = state[8], state[9]
    i, stop = state[13], state[14]
    while i < stop:
        u = buf[i] + offset
        oldest = ring[pos]
        ring[pos] = u
        pos = pos + 1 if pos + 1 < n else 0
        count = min(count + 1, n)
        total += u - oldest
        d = n * u - total
        # V' - V = (u - oldest)·(D + D_oldest), with D_oldest = n·oldest - S before the change, and
        # D - D_oldest = (n - 1)·(u - oldest): the variance is carried on exactly, without the sum of squares.
        v += (u - oldest) * (2 * d - (n - 1) * (u - oldest))
        if count == n and a * d * d > b * v:
            break
        i += 1
    state[1], state[2] = pos, count
    state[3], state[4] = total & 0x3FFFFFF, total >> 26
    state[5], state[6], state[7] = v & 0x3FFF, (v >> 14) & 0x3FFFFFFF, v >> 44
    return i
