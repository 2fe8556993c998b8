"""The note at the end of a wake word's plan: its name and how its outputs become a decision (docs/spec/model-plan.md).

Must not know how a network runs or where a plan came from.
"""

import struct

from ..errors import ModelError

if False:  # for mypy alone
    from kittiwake_types import Buffer

VERSION = 1
_MAGIC = b"KWWW"
_LAYOUT = "<4sBBBBHHI32s"
NOTE_BYTES = 48
# Of the plan's header: type, scale and zero point of the input.
_INPUT_TYPE = 48
_INPUT_SCALE = 52
_INPUT_BYTES = 36
CHANNELS = 40
_INT8 = 0


class Note:
    """What a plan says of its wake word.

    Args:
        plan: bytes, bytearray, or a memoryview of flash; whole, as network.Header makes sure.

    Attributes:
        name: of the word, e.g. "okay_nabu".
        window: outputs in the sliding mean.
        limit: the word is heard when the sum of the window's outputs (0 to 255 each) is above it.
        stride: frames of features that one invoke takes.
        step_ms: milliseconds from frame to frame that the model was trained with.
        flip: 0x80 where outputs are int8, which it makes 0 to 255.
        scale_bits: the input's scale, as the bits of a float32; float arithmetic differs between boards.
        zero: the input's zero point.

    Raises:
        ModelError: "note": the plan has none, or one of a later version; "input": no input of whole frames of 40 int8
            features. Allocates.
    """

    def __init__(self, plan: "Buffer") -> None:
        if len(plan) < 2 * NOTE_BYTES or bytes(plan[len(plan) - NOTE_BYTES : len(plan) - NOTE_BYTES + 4]) != _MAGIC:
            raise ModelError("note", "the plan is of no wake word; make one with kittiwake model add")
        fields = struct.unpack(_LAYOUT, bytes(plan[len(plan) - NOTE_BYTES :]))
        _, version, self.window, self.flip, self.step_ms, self.stride, _, self.limit, name = fields
        if version != VERSION:
            raise ModelError("note", "the word's note has version %d, this firmware knows %d" % (version, VERSION))
        self.name = name.rstrip(b"\0").decode()
        (self.scale_bits, self.zero) = struct.unpack("<Ii", bytes(plan[_INPUT_SCALE : _INPUT_SCALE + 8]))
        size = struct.unpack("<I", bytes(plan[_INPUT_BYTES : _INPUT_BYTES + 4]))[0]
        if plan[_INPUT_TYPE] != _INT8 or not self.stride or size != CHANNELS * self.stride:
            raise ModelError(
                "input", "%s takes %d bytes, and the front end gives frames of 40 int8" % (self.name, size)
            )
        if not self.window or self.step_ms != 10:
            raise ModelError("note", "%s wants a frame each %d ms; the front end has 10" % (self.name, self.step_ms))
