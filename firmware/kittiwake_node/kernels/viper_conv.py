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

The first three arguments are the only names that viper keeps in registers; so they become the accumulator, the weight
and the input.
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
    outputs = d[_OUTPUTS]
    turns = d[_FILLED] >> 3
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
            c = 0
            while c < outputs:
                at = ptr32(plan)[0] - total
                plan = ptr8(int(plan) + 4)
                scratch = ptr8(line)
                n = turns
                while n >= 2:
                    at += plan[0] * scratch[0]
                    at += plan[1] * scratch[1]
                    at += plan[2] * scratch[2]
                    at += plan[3] * scratch[3]
                    at += plan[4] * scratch[4]
                    at += plan[5] * scratch[5]
                    at += plan[6] * scratch[6]
                    at += plan[7] * scratch[7]
                    at += plan[8] * scratch[8]
                    at += plan[9] * scratch[9]
                    at += plan[10] * scratch[10]
                    at += plan[11] * scratch[11]
                    at += plan[12] * scratch[12]
                    at += plan[13] * scratch[13]
                    at += plan[14] * scratch[14]
                    at += plan[15] * scratch[15]
                    plan = ptr8(int(plan) + 16)
                    scratch = ptr8(int(scratch) + 16)
                    n -= 2
                if n:
                    at += plan[0] * scratch[0]
                    at += plan[1] * scratch[1]
                    at += plan[2] * scratch[2]
                    at += plan[3] * scratch[3]
                    at += plan[4] * scratch[4]
                    at += plan[5] * scratch[5]
                    at += plan[6] * scratch[6]
                    at += plan[7] * scratch[7]
                    plan = ptr8(int(plan) + 8)
                if plan[5]:
                    at <<= plan[5]
                if wide:
                    low = at & 0xFFFF
                    high = at >> 16
                    k = (low * plan[1] + (low * plan[0] >> 8)) >> 8
                    n = plan[2] + (plan[3] << 8)
                    low *= n
                    at = high * (plan[0] + (plan[1] << 8))
                    k = ((at & 0x7FFF) + (low & 0x7FFF) + k + 16384) >> 15
                    at = high * n * 2 + (at >> 15) + (low >> 15) + k
                else:
                    k = ((at * plan[0] >> 8) + at * plan[1]) >> 8
                    at = (((k + at * plan[2]) >> 8) + at * plan[3] + 64) >> 7
                at += at
                if at < 0:
                    at -= 1
                at = ((at >> plan[4]) + zero) >> 1
                if at > 127:
                    at = 127
                elif at < -128:
                    at = -128
                target[c] = at
                plan = ptr8(int(plan) + 8)
                c += 1
            col += 1
        row += 1
