"""Dense int8 layers by viper: unsigned bytes, sixteen products a turn, multipliers byte by byte.

Must not know who calls it. Descriptor: docs/spec/model-plan.md; layout `rows`.

Viper reads bytes unsigned everywhere, so both factors have 128 added: the stream's weights by the compiler, the inputs
here, while the bytes under the filter are gathered into one line. sum(w·x) = sum(v·u) - 128·sum(u) - 128·sum(w): the
second term is taken once a pixel, the third is in the bias. A bias also has 2^29 added, so that it is read alike on
machines of 32 and 64 bits.

With |a| < 2^23 and the bytes m0 .. m3 of the multiplier, a·m0 and its like stay within 31 bits, and
(a·m + 2^30) >> 31 = (((a·m0 >> 8) + a·m1 >> 8) + a·m2 >> 8) + a·m3 + 64 >> 7 exactly. Wider accumulators, which the
descriptor announces, are split in halves. Doubling the rounded product and taking 1 off a negative one makes
(x >> right) + 1 + 2·zero >> 1 the second rounding, half away from zero, for every right shift from 0 up.

The first two arguments are the only names that viper keeps in registers, in a .mpy: they become the accumulator and the
weight. A sum ends with the accumulator, so that it is added from its register, and not copied first.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_STREAM = const(2)
_OUTPUTS = const(3)
_INPUTS = const(4)
_FILLED = const(5)
_ROWS = const(6)
_COLS = const(7)
_IN_ROW = const(8)
_IN_COL = const(9)
_OUT_ROW = const(10)
_OUT_COL = const(11)
_SEGMENTS = const(12)
_SEGMENT_BYTES = const(13)
_SEGMENT_OFFSETS = const(14)
_LINE = const(15)
_ZERO = const(16)
_WIDE = const(17)


@micropython.viper
def conv(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_conv.conv. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[_INPUT] & _OFFSET
    if d[_INPUT] >> _SPACE == 0:
        first += int(scratch)
    elif d[_INPUT] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[_OUTPUT] & _OFFSET
    if d[_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    stream = int(plan) + d[_STREAM]
    segments = ptr32(int(plan) + d[_SEGMENT_OFFSETS])
    line = int(scratch) + d[_LINE]
    turns = d[_FILLED] >> 4
    half = d[_FILLED] & 8
    zero = (d[_ZERO] - 128) * 2 + 1
    wide = d[_WIDE]
    row = 0
    while row < d[_ROWS]:
        col = 0
        while col < d[_COLS]:
            # Gather.
            base = first + row * d[_IN_ROW] + col * d[_IN_COL]
            total = 0
            scratch = ptr8(line)
            n = 0
            while n < d[_SEGMENTS]:
                plan = ptr8(base + segments[n])
                k = d[_SEGMENT_BYTES]
                while k >= 4:
                    at = plan[0] ^ 128
                    scratch[0] = at
                    total += at
                    at = plan[1] ^ 128
                    scratch[1] = at
                    total += at
                    at = plan[2] ^ 128
                    scratch[2] = at
                    total += at
                    at = plan[3] ^ 128
                    scratch[3] = at
                    total += at
                    plan = ptr8(int(plan) + 4)
                    scratch = ptr8(int(scratch) + 4)
                    k -= 4
                while k:
                    at = plan[0] ^ 128
                    scratch[0] = at
                    total += at
                    plan = ptr8(int(plan) + 1)
                    scratch = ptr8(int(scratch) + 1)
                    k -= 1
                n += 1
            n = d[_FILLED] - d[_INPUTS]
            while n:
                scratch[0] = 0
                scratch = ptr8(int(scratch) + 1)
                n -= 1
            total = total * 128 + (1 << 29)
            # One output after the other.
            plan = ptr8(stream)
            target = ptr8(out + row * d[_OUT_ROW] + col * d[_OUT_COL])
            c = d[_OUTPUTS]
            while c:
                at = ptr32(plan)[0] - total
                scratch = ptr8(line)
                n = turns
                while n:
                    at = plan[4] * scratch[0] + at
                    at = plan[5] * scratch[1] + at
                    at = plan[6] * scratch[2] + at
                    at = plan[7] * scratch[3] + at
                    at = plan[8] * scratch[4] + at
                    at = plan[9] * scratch[5] + at
                    at = plan[10] * scratch[6] + at
                    at = plan[11] * scratch[7] + at
                    at = plan[12] * scratch[8] + at
                    at = plan[13] * scratch[9] + at
                    at = plan[14] * scratch[10] + at
                    at = plan[15] * scratch[11] + at
                    at = plan[16] * scratch[12] + at
                    at = plan[17] * scratch[13] + at
                    at = plan[18] * scratch[14] + at
                    at = plan[19] * scratch[15] + at
                    plan = ptr8(int(plan) + 16)
                    scratch = ptr8(int(scratch) + 16)
                    n -= 1
                if half:
                    at = plan[4] * scratch[0] + at
                    at = plan[5] * scratch[1] + at
                    at = plan[6] * scratch[2] + at
                    at = plan[7] * scratch[3] + at
                    at = plan[8] * scratch[4] + at
                    at = plan[9] * scratch[5] + at
                    at = plan[10] * scratch[6] + at
                    at = plan[11] * scratch[7] + at
                    plan = ptr8(int(plan) + 8)
                if plan[9]:
                    at <<= plan[9]
                if wide:
                    low = at & 0xFFFF
                    high = at >> 16
                    k = (low * plan[5] + (low * plan[4] >> 8)) >> 8
                    n = plan[6] + (plan[7] << 8)
                    low *= n
                    at = high * (plan[4] + (plan[5] << 8))
                    k = ((at & 0x7FFF) + (low & 0x7FFF) + k + 16384) >> 15
                    at = high * n * 2 + (at >> 15) + (low >> 15) + k
                else:
                    k = ((at * plan[4] >> 8) + at * plan[5]) >> 8
                    at = (((k + at * plan[6]) >> 8) + at * plan[7] + 64) >> 7
                at = (at >> 31) + at + at
                at = ((at >> plan[8]) + zero) >> 1
                if (at + 128) >> 8:
                    if at > 127:
                        at = 127
                    else:
                        at = -128
                target[0] = at
                target = ptr8(int(target) + 1)
                plan = ptr8(int(plan) + 12)
                c -= 1
            col += 1
        row += 1
