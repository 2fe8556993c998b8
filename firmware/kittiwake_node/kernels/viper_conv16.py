"""Layers of int16 activations and int8 weights by viper: unsigned factors, sums in two words.

Must not know who calls it. Descriptors and stream: docs/spec/model-plan.md; they are the same for every set of kernels.

Viper reads unsigned, so inputs have 2^15 added, weights 128: sum(w·x) = sum(v·u) - 128·sum(u) - 2^15·sum(w), whose last
term is in the bias. 128 products of a byte and a halfword stay below 2^31; after so many, a sum is added to an
accumulator high·2^16 + low. Shifted to the left, this has 46 bits at the most. Its product with a factor of 15 bits is
formed from three pieces, of which only what is above 2^31 matters, because every shift to the right is by more:

    (high·2^16 + low)·factor >> 31 = (high >> 15)·factor + (((high & 0x7FFF)·factor + (low·factor >> 16)) >> 15)

The first two arguments are the only names that viper keeps in registers, in a .mpy.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
_HIGH_OFFSET = const(1 << 29)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_STREAM = const(2)
_OUTPUTS = const(3)
_CHANNELS = const(3)
_INPUTS = const(4)
_FILTER_HEIGHT = const(4)
_FILLED = const(5)
_FILTER_WIDTH = const(5)
_ROWS = const(6)
_COLS = const(7)
_IN_ROW = const(8)
_IN_COL = const(9)
_OUT_ROW = const(10)
_OUT_COL = const(11)
_SEGMENTS = const(12)
_TAP_DOWN = const(12)
_SEGMENT_BYTES = const(13)
_TAP_ACROSS = const(13)
_SEGMENT_OFFSETS = const(14)
_DEPTHWISE16_LOW = const(14)
_LINE = const(15)
_DEPTHWISE16_HIGH = const(15)
_CONV16_LOW = const(16)
_CONV16_HIGH = const(17)


@micropython.viper
def conv16(at: int, plan: ptr8, scratch: ptr16, state: ptr8):
    """As plain_conv16.conv16. Does not allocate."""
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
    filled = d[_FILLED]
    least = d[_CONV16_LOW] - 0x8000
    most = d[_CONV16_HIGH] - 0x8000
    row = 0
    while row < d[_ROWS]:
        col = 0
        while col < d[_COLS]:
            # Gather.
            base = first + row * d[_IN_ROW] + col * d[_IN_COL]
            total = 0
            scratch = ptr16(line)
            n = 0
            while n < d[_SEGMENTS]:
                source = ptr16(base + segments[n])
                k = d[_SEGMENT_BYTES]
                while k:
                    at = source[0] ^ 0x8000
                    scratch[0] = at
                    total += at
                    source = ptr16(int(source) + 2)
                    scratch = ptr16(int(scratch) + 2)
                    k -= 2
                n += 1
            n = filled - d[_INPUTS]
            while n:
                scratch[0] = 0
                scratch = ptr16(int(scratch) + 2)
                n -= 1
            # One output after the other.
            plan = ptr8(stream)
            target = ptr16(out + row * d[_OUT_ROW] + col * d[_OUT_COL])
            c = 0
            while c < outputs:
                high = ptr32(plan)[0] - _HIGH_OFFSET - (total >> 9)
                low = (plan[4] | plan[5] << 8) - ((total & 511) << 7)
                factor = plan[6] | plan[7] << 8
                right = plan[8]
                left = plan[9]
                plan = ptr8(int(plan) + 12)
                scratch = ptr16(line)
                n = filled
                while n:
                    k = n
                    if k > 128:
                        k = 128
                    n -= k
                    at = 0
                    while k:
                        at = plan[0] * scratch[0] + at
                        at = plan[1] * scratch[1] + at
                        at = plan[2] * scratch[2] + at
                        at = plan[3] * scratch[3] + at
                        at = plan[4] * scratch[4] + at
                        at = plan[5] * scratch[5] + at
                        at = plan[6] * scratch[6] + at
                        at = plan[7] * scratch[7] + at
                        plan = ptr8(int(plan) + 8)
                        scratch = ptr16(int(scratch) + 16)
                        k -= 8
                    high += at >> 16
                    low += at & 0xFFFF
                high += low >> 16
                low &= 0xFFFF
                if left:
                    if left > 16:
                        high = (high << 16) + low
                        low = 0
                        left -= 16
                    high = (high << left) + (low >> (16 - left))
                    low = low << left & 0xFFFF
                at = (high & 0x7FFF) * factor + (low * factor >> 16)
                at = (high >> 15) * factor + (at >> 15)
                at = (at + (1 << right >> 1)) >> right
                if at > most:
                    at = most
                elif at < least:
                    at = least
                target[c] = at
                c += 1
            col += 1
        row += 1


@micropython.viper
def depthwise16(at: int, plan: ptr8, scratch: ptr16, state: ptr8):
    """As plain_conv16.depthwise16. Does not allocate."""
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
    channels = d[_CHANNELS]
    across = d[_TAP_ACROSS]
    # What the pointer has to go after a row of the filter, to the start of the next.
    down = d[_TAP_DOWN] - d[_FILTER_WIDTH] * across
    fill = 0 - d[_FILTER_HEIGHT] * d[_FILTER_WIDTH] & 3
    least = d[_DEPTHWISE16_LOW] - 0x8000
    most = d[_DEPTHWISE16_HIGH] - 0x8000
    row = 0
    while row < d[_ROWS]:
        col = 0
        while col < d[_COLS]:
            base = first + row * d[_IN_ROW] + col * d[_IN_COL]
            plan = ptr8(stream)
            target = ptr16(out + row * d[_OUT_ROW] + col * d[_OUT_COL])
            c = 0
            while c < channels:
                high = ptr32(plan)[0] - _HIGH_OFFSET
                low = plan[4] | plan[5] << 8
                factor = plan[6] | plan[7] << 8
                right = plan[8]
                left = plan[9]
                plan = ptr8(int(plan) + 12)
                scratch = ptr16(base + c + c)
                y = d[_FILTER_HEIGHT]
                while y:
                    at = 0
                    n = d[_FILTER_WIDTH]
                    while n >= 3:
                        at = (plan[0] - 128) * (scratch[0] ^ 0x8000) + at
                        scratch = ptr16(int(scratch) + across)
                        at = (plan[1] - 128) * (scratch[0] ^ 0x8000) + at
                        scratch = ptr16(int(scratch) + across)
                        at = (plan[2] - 128) * (scratch[0] ^ 0x8000) + at
                        scratch = ptr16(int(scratch) + across)
                        plan = ptr8(int(plan) + 3)
                        n -= 3
                    while n:
                        at = (plan[0] - 128) * (scratch[0] ^ 0x8000) + at
                        scratch = ptr16(int(scratch) + across)
                        plan = ptr8(int(plan) + 1)
                        n -= 1
                    high += at >> 16
                    low += at & 0xFFFF
                    scratch = ptr16(int(scratch) + down)
                    y -= 1
                plan = ptr8(int(plan) + fill)
                high += low >> 16
                low &= 0xFFFF
                if left:
                    if left > 16:
                        high = (high << 16) + low
                        low = 0
                        left -= 16
                    high = (high << left) + (low >> (16 - left))
                    low = low << left & 0xFFFF
                at = (high & 0x7FFF) * factor + (low * factor >> 16)
                at = (high >> 15) * factor + (at >> 15)
                at = (at + (1 << right >> 1)) >> right
                if at > most:
                    at = most
                elif at < least:
                    at = least
                target[c] = at
                c += 1
            col += 1
        row += 1
