"""The lagged rolling z-score as it is defined: each sample against the window of the N before it.

Must not know how alerts are reported. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def find(state: "Samples", ring: "Samples", buf: "Samples") -> int:
    """Feed buf[START:STOP] until a sample is anomalous against the N samples before it, V being no less than its floor.

    Args, return value and allocation are plain_zscore.find's; after an anomaly, START holds what it displaced.

    Source: plain_zscore's test with D and V of the window before the sample, multiplied out in the same way.
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
    least = state[11] + (state[12] << 14)
    i, stop = state[13], state[14]
    while i < stop:
        u = buf[i] + offset
        oldest = ring[pos]
        ring[pos] = u
        pos = pos + 1 if pos + 1 < n else 0
        d = n * u - total
        anomalous = count == n and a * d * d > b * max(v, least)
        count = min(count + 1, n)
        total += u - oldest
        # As in plain_zscore, with D after the change, which is D before it less (u - oldest).
        v += (u - oldest) * (2 * (d - (u - oldest)) - (n - 1) * (u - oldest))
        if anomalous:
            state[13] = oldest
            break
        i += 1
    state[1], state[2] = pos, count
    state[3], state[4] = total & 0x3FFFFFF, total >> 26
    state[5], state[6], state[7] = v & 0x3FFF, (v >> 14) & 0x3FFFFFFF, v >> 44
    return i
