"""The drift detector as it is defined: two exponentially weighted means and a variance, in unbounded integers.

Must not know how detections are reported. State layout: see the package's docstring.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def find(state: "Samples", buf: "Samples", start: int, stop: int) -> int:
    """Feed buf[start:stop] until a sample is a detection.

    Args:
        state: array('i'), 15 words; the accumulators are updated. The first sample's means must stand in it already.
        buf: array('h') of samples, read only.
        start: index of the first sample.
        stop: index after the last sample, start <= stop <= len(buf).

    Returns:
        Index of the first detection, already fed; stop when there is none.

    Allocates on 32-bit boards: the accumulators exceed small integers.
    """
    count, hold = state[0], state[1]
    fast = (state[2] << 16) + state[3] - (1 << 31)
    slow = (state[4] << 16) + state[8] - (1 << 31)
    v = state[5] + (state[6] << 14) + (state[7] << 44)
    fast_shift, slow_shift = state[9] & 0xFF, state[9] >> 8
    p, q = state[10] & 0xFF, state[10] >> 8
    warmup, holdoff, floor = state[12], state[13], state[14] << 16
    k = 0
    while k < slow_shift and count >> (k + 1):
        k += 1
    found = False
    i = start
    while i < stop and not found:
        x = buf[i] << 16
        count = min(count + 1, 1 << 29)
        fast += (x - fast) >> fast_shift
        if hold:
            hold -= 1
        elif count > warmup:
            d = (fast - slow) >> 8
            if q * q * d * d > p * p * max(v, floor):
                found = True
                hold = holdoff
        if k < slow_shift and count >> (k + 1):
            k += 1  # the largest k with 2^k <= count, so that the first samples weigh in evenly
        e = x - slow
        slow += e >> k
        e >>= 8
        square = e * e
        v += (square - (square >> k) - v) >> k
        i += 1
    state[0], state[1] = count, hold
    fast += 1 << 31
    slow += 1 << 31
    state[2], state[3] = fast >> 16, fast & 0xFFFF
    state[4], state[8] = slow >> 16, slow & 0xFFFF
    state[5], state[6], state[7] = v & 0x3FFF, (v >> 14) & 0x3FFFFFFF, v >> 44
    return i - 1 if found else i
