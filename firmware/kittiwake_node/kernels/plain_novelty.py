"""The novelty detector as it is defined: dual means, and a threshold that falls where bins or transitions are new.

Must not know how alarms are reported. State layout: see the package's docstring. Doubling the bins is not done here: it
happens at most 14 times in a life, and detect.novelty does it for all kernels.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples

_AFTER4 = 32
_AFTER8 = 48


def find(state: "Samples", buf: "Samples", start: int, stop: int) -> int:
    """Feed buf[start:stop] until a sample raises an alarm or lies outside the bins.

    Args:
        state: array('H'), 64 words; all but the settings is updated.
        buf: array('h') of samples, read only.
        start: index of the first sample.
        stop: index after the last sample, start <= stop <= len(buf).

    Returns:
        Index of the first alarm, already fed; stop when there is none; -1 - i when sample i lies outside the bins (and
        is not fed: widen them and call again from i).

    Allocates on 32-bit boards: the accumulators exceed small integers.
    """
    count = state[0] | state[1] << 16
    fast = (state[2] | state[3] << 16) - (1 << 31)
    slow = (state[4] | state[5] << 16) - (1 << 31)
    hold, scale = state[6], state[7]
    origin = (state[8] | state[9] << 16) - (1 << 18)
    v = state[10] + ((state[12] | state[13] << 16) << 14) + (state[14] << 44)
    boost = state[16] | state[17] << 16
    base, least, step, most, holdoff, new_level, new_step, learning, warmup = state[21:30]
    fast_shift, slow_shift, fade = state[30] & 0xFF, state[30] >> 8, state[31]
    k = 0
    while k < slow_shift and count >> (k + 1):
        k += 1
    i = start
    outcome = None
    while i < stop and outcome is None:
        bin_ = (buf[i] - origin) >> scale
        if bin_ >> 4:
            outcome = -1 - i
            break
        x = buf[i] << 16
        fast += (x - fast) >> fast_shift
        novelty = 0
        before4, before8 = state[18] >> 12, state[19] >> 12
        bit = 1 << bin_
        if not state[20] & bit:
            novelty += new_level
            state[20] |= bit
        if count >= 4 and not state[_AFTER4 + before4] & bit:
            novelty += new_step
            state[_AFTER4 + before4] |= bit
        if count >= 8 and not state[_AFTER8 + before8] & bit:
            novelty += new_step
            state[_AFTER8 + before8] |= bit
        if count < learning:
            novelty = 0
        state[19] = (state[19] << 4 | before4) & 0xFFFF
        state[18] = (state[18] << 4 | bin_) & 0xFFFF
        boost -= boost >> fade
        if hold:
            hold -= 1
        elif count >= warmup:
            threshold = max(least, base + (boost >> 8) - novelty)
            e = (fast - slow) >> 8
            if e * e > (threshold * threshold * (max(v, 1 << 16) >> 8)) >> 8:
                outcome = i
                hold = holdoff
                boost = min(boost + (step << 8), most << 8)
        count = min(count + 1, 1 << 29)
        if k < slow_shift and count >> (k + 1):
            k += 1  # the largest k with 2^k <= count, so that the first samples weigh in evenly
        e = x - slow
        slow += e >> k
        e >>= 8
        square = e * e
        v += (square - (square >> k) - v) >> k
        i += 1
    fast += 1 << 31
    slow += 1 << 31
    for at, value in ((0, count), (2, fast), (4, slow), (12, v >> 14 & 0x3FFFFFFF), (16, boost)):
        state[at], state[at + 1] = value & 0xFFFF, value >> 16
    state[6], state[10], state[14] = hold, v & 0x3FFF, v >> 44
    return i if outcome is None else outcome
