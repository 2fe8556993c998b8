"""The bytes of a plan (.kwm), written and read: header, steps, descriptors, constants. docs/spec/model-plan.md
has the format.

Knows the format only. The firmware has a reader of its own; this one serves `kittiwake model info`.
"""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

from kittiwake.errors import ConfigError
from kittiwake.model.lower import weights as layouts
from kittiwake.model.lower.operators import Program
from kittiwake.model.lower.steps import CONST, SCRATCH, Buffer, Data, Ref, View

MAGIC = b"KWMP"
VERSION = 1
_HEADER = "<4sHBBIIIIHHIIIIIBBHfifi"
HEADER_BYTES = struct.calcsize(_HEADER)
_CRC_FROM = 16
_MAX_WORD = (1 << 30) - 1
# A step's kind in the plan, and the kernel that runs it.
KINDS = {
    "conv": 1,
    "depthwise": 2,
    "shift": 3,
    "copy": 4,
    "fill": 5,
    "table": 6,
    "widen": 7,
    "add": 8,
    "mul": 9,
    "average": 10,
    "largest": 11,
    "mean": 12,
    "softmax": 13,
}
_TYPES = {"int8": 0, "uint8": 1, "float32": 2}
_SPACE = {SCRATCH: 0, "state": 1, CONST: 2}
_SPACE_SHIFT = 28


@dataclass(frozen=True)
class Header:
    """What a plan says of itself.

    Attributes:
        version: of the format.
        layout: of its weights; which kernels can run it.
        size: bytes of the plan.
        scratch, state: bytes of RAM, which several models share or each keeps.
        steps, resets: kernel calls of an invoke and of a reset.
        input_bytes, output_bytes: of one invoke.
        input_type, output_type: "int8", "uint8" or "float32".
        input_scale, input_zero_point, output_scale, output_zero_point: quantisation of both ends.
    """

    version: int
    layout: str
    size: int
    scratch: int
    state: int
    steps: int
    resets: int
    input_bytes: int
    output_bytes: int
    input_type: str
    output_type: str
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int


class _Writer:
    def __init__(self, start: int):
        self._start = start
        self._content = bytearray()
        self._places: dict[bytes, int] = {}

    def add(self, content: bytes) -> int:
        """Append bytes once and give their offset in the plan."""
        if content not in self._places:
            self._content += bytes(-len(self._content) % 4)
            self._places[content] = self._start + len(self._content)
            self._content += content
        return self._places[content]

    def content(self) -> bytes:
        """All of it, ending on a multiple of four."""
        return bytes(self._content) + bytes(-len(self._content) % 4)


def write(program: Program, layout: str, scratch: int, state: int) -> bytes:
    """Write a planned program.

    Args:
        program: its buffers placed by arena.plan.
        layout: of the weights.
        scratch, state: bytes, as arena.plan gave them.

    Returns:
        The plan.
    """
    calls: list[tuple[int, list]] = [(KINDS[step.kind], list(step.words)) for step in program.steps]
    resets = _resets(program)
    table_at = HEADER_BYTES
    words_at = table_at + 8 * (len(calls) + len(resets))
    data_at = words_at + 4 * sum(len(words) for _, words in calls + resets)
    data = _Writer(data_at)
    table, descriptors = bytearray(), bytearray()
    for kind, words in calls + resets:
        table += struct.pack("<HHI", kind, len(words), words_at + len(descriptors))
        descriptors += b"".join(struct.pack("<I", _word(word, data)) for word in words)
    given, made = program.input, program.output
    source, target = program.source, program.target
    given_at, made_at = _address(given.buffer, given.offset, data), _address(made.buffer, made.offset, data)
    body = bytes(table) + bytes(descriptors) + data.content()
    head = [
        *(scratch, state, len(calls), len(resets), table_at),
        *(given_at, given.elements, made_at, made.elements),
        *(_TYPES[source.type], _TYPES[target.type], 0),
        *(source.scale, source.zero_point, target.scale, target.zero_point),
    ]
    size = HEADER_BYTES + len(body)
    header = struct.pack(_HEADER, MAGIC, VERSION, layouts.LAYOUTS.index(layout), 0, size, 0, *head)
    crc = binascii.crc32(header[_CRC_FROM:] + body)
    return header[:12] + struct.pack("<I", crc) + header[_CRC_FROM:] + body


def _resets(program: Program) -> list[tuple[int, list]]:
    """What puts the state back to its beginning: a fill where all bytes are alike, else a copy out of the plan."""
    calls: list[tuple[int, list]] = []
    for buffer in program.states:
        content = buffer.data or bytes(buffer.size)
        most = max(set(content), key=content.count) if content else 0
        head = content.rstrip(b"\0")
        if head and len(set(head)) == 1:
            # What follows a stream's first rows is written before it is read: any filling will do.
            calls.append((KINDS["fill"], [Ref(buffer), buffer.size, head[0]]))
        elif not head:
            calls.append((KINDS["fill"], [Ref(buffer), buffer.size, most]))
        else:
            constant = View.whole(Buffer(len(content), CONST, content), (len(content),))
            one_run = [1, 1, 1, buffer.size, 0, 0, 0, 1, 0, 0, 0, 1]
            calls.append((KINDS["copy"], [Ref(constant.buffer), Ref(buffer), *one_run]))
    return calls


def _word(word, data: _Writer) -> int:
    if isinstance(word, Data):
        return data.add(word.content)
    if isinstance(word, Ref):
        return _address(word.buffer, word.offset, data)
    if not 0 <= word < 1 << 31:
        raise ValueError(f"{word} is no word of a descriptor")
    return word


def _address(buffer: Buffer, offset: int, data: _Writer) -> int:
    place = data.add(buffer.data or b"") if buffer.kind == CONST else buffer.place
    if place < 0 or place + offset > (1 << _SPACE_SHIFT) - 1:
        raise ValueError(f"no address: {buffer}")
    return _SPACE[buffer.kind] << _SPACE_SHIFT | place + offset


def read_header(content: bytes) -> Header:
    """Read what a plan says of itself.

    Raises:
        ConfigError: it is no plan, another version's, or damaged.
    """
    if content[:4] != MAGIC or len(content) < HEADER_BYTES:
        raise ConfigError("this is no plan (.kwm)", "make one with kittiwake model compile")
    fields = struct.unpack_from(_HEADER, content)
    if fields[1] != VERSION:
        raise ConfigError(f"the plan has version {fields[1]}, this is for {VERSION}", "compile the model anew")
    if fields[4] != len(content) or fields[5] != binascii.crc32(content[_CRC_FROM:]):
        raise ConfigError("the plan is damaged", "compile the model anew")
    names = {number: name for name, number in _TYPES.items()}
    return Header(
        fields[1], layouts.LAYOUTS[fields[2]], fields[4], *fields[6:10], fields[12], fields[14],
        names[fields[15]], names[fields[16]], *fields[18:],
    )  # fmt: skip
