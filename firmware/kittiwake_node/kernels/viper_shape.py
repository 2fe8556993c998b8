"""Moving bytes by viper: fills, shift buffers, and the executor's own input and output.

Must not know what the bytes mean. Descriptors: docs/spec/model-plan.md. Words are moved where both ends and the count
are multiples of four.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_FILL_OUTPUT = const(0)
_SHIFT_COUNT = const(0)
_FILL_BYTES = const(1)
_SHIFT_OUTPUT = const(1)
_FILL_VALUE = const(2)
_SHIFT_INPUT = const(2)
_SHIFT_BYTES = const(3)


@micropython.viper
def address(buffer: ptr8) -> int:
    """As plain_shape.address. Does not allocate."""
    return int(buffer) & 0xFF


@micropython.viper
def put(target: ptr8, at: int, source: ptr8, count: int):
    """As plain_shape.put. Does not allocate."""
    target = ptr8(int(target) + at)
    if (int(target) | int(source) | count) & 3 == 0:
        words = ptr32(target)
        given = ptr32(source)
        for i in range(count >> 2):
            words[i] = given[i]
        return
    for i in range(count):
        target[i] = source[i]


@micropython.viper
def take(target: ptr8, source: ptr8, at: int, count: int):
    """As plain_shape.take. Does not allocate."""
    source = ptr8(int(source) + at)
    for i in range(count):
        target[i] = source[i]


@micropython.viper
def shift(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_shape.shift. Does not allocate."""
    d = ptr32(int(plan) + at)
    moves = d[_SHIFT_COUNT]
    while moves:
        to = (d[_SHIFT_OUTPUT] & _OFFSET) + int(state)
        start = (d[_SHIFT_INPUT] & _OFFSET) + int(state)
        count = d[_SHIFT_BYTES]
        d = ptr32(int(d) + 12)
        moves -= 1
        if (to | start | count) & 3 == 0:
            words = ptr32(to)
            given = ptr32(start)
            while count >= 32:
                words[0] = given[0]
                words[1] = given[1]
                words[2] = given[2]
                words[3] = given[3]
                words[4] = given[4]
                words[5] = given[5]
                words[6] = given[6]
                words[7] = given[7]
                words = ptr32(int(words) + 32)
                given = ptr32(int(given) + 32)
                count -= 32
            for i in range(count >> 2):
                words[i] = given[i]
        else:
            target = ptr8(to)
            source = ptr8(start)
            for i in range(count):
                target[i] = source[i]


@micropython.viper
def fill(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_shape.fill. Does not allocate."""
    d = ptr32(int(plan) + at)
    out = d[_FILL_OUTPUT] & _OFFSET
    if d[_FILL_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    value = d[_FILL_VALUE]
    n = d[_FILL_BYTES]
    if out & 3 == 0:
        words = ptr32(out)
        pair = value | value << 8
        while n >= 16:
            words[0] = pair | pair << 16
            words[1] = words[0]
            words[2] = words[0]
            words[3] = words[0]
            words = ptr32(int(words) + 16)
            n -= 16
        target = ptr8(int(words))
    while n >= 4:
        target[0] = value
        target[1] = value
        target[2] = value
        target[3] = value
        target = ptr8(int(target) + 4)
        n -= 4
    while n:
        target[0] = value
        target = ptr8(int(target) + 1)
        n -= 1
