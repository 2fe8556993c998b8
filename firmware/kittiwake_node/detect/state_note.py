"""The note at the end of a plan that tells states: their names, and how samples become its input.

Must not know how a network runs or where a plan came from. Its bytes: docs/spec/model-plan.md.
"""

import struct

from ..errors import ModelError

if False:  # for mypy alone
    from kittiwake_types import Buffer

VERSION = 1
TAIL_BYTES = 16
NAME_BYTES = 32
_MAGIC = b"KWST"
_LAYOUT = "<HHBBBB4sI"
_BLOCK_MOST = 4096  # more samples, and their sum does not fit
_MULTIPLIER_LIMIT = 1 << 13
# Of the plan's header: bytes of the input, of the output, types of both, and the input's zero point.
_INPUT_BYTES = 36
_OUTPUT_BYTES = 44
_TYPES = 48
_ZERO = 56


class StateNote:
    """What a plan says of its states.

    Args:
        plan: bytes, bytearray, or a memoryview of flash; whole, as network.Header makes sure.

    Attributes:
        names: of the states, in the order of the network's outputs.
        block: samples of an input.
        multiplier, shift: a sample less its block's mean, times multiplier / 2^shift, is steps of the input's scale.
        zero: the input's zero point.

    Raises:
        ModelError: "note": the plan has none, or one that cannot be; "input": the network takes no such block, or does
            not give a byte a state. Allocates.
    """

    def __init__(self, plan: "Buffer") -> None:
        size = len(plan)
        tail = bytes(plan[size - TAIL_BYTES :]) if size > 6 * TAIL_BYTES else bytes(TAIL_BYTES)
        self.block, self.multiplier, version, self.shift, count, _, magic, _ = struct.unpack(_LAYOUT, tail)
        if magic != _MAGIC:
            raise ModelError("note", "the plan tells no states; make one with kittiwake model train states")
        if version != VERSION:
            raise ModelError("note", "the states' note has version %d, this firmware knows %d" % (version, VERSION))
        start = size - TAIL_BYTES - NAME_BYTES * count
        if not 2 <= count or start < 0 or not 2 <= self.block <= _BLOCK_MOST:
            raise ModelError("note", "%d states of blocks of %d samples" % (count, self.block))
        if not 1 <= self.shift <= 22 or not 0 < self.multiplier < _MULTIPLIER_LIMIT:
            raise ModelError("note", "samples times %d / 2^%d" % (self.multiplier, self.shift))
        raw = [bytes(plan[start + NAME_BYTES * i : start + NAME_BYTES * (i + 1)]) for i in range(count)]
        try:
            self.names = [name.rstrip(b"\0").decode() for name in raw]
        except (UnicodeError, ValueError):
            raise ModelError("note", "a state's name is no UTF-8")
        sizes = [struct.unpack("<I", bytes(plan[at : at + 4]))[0] for at in (_INPUT_BYTES, _OUTPUT_BYTES)]
        if plan[_TYPES] or plan[_TYPES + 1] or sizes != [self.block, count]:
            raise ModelError("input", "it takes %d bytes and gives %d: no block of int8 to its states" % tuple(sizes))
        self.zero: int = struct.unpack("<i", bytes(plan[_ZERO : _ZERO + 4]))[0]
