"""The bytes of a plan (.kwm), written and read: header, steps, descriptors, constants. docs/spec/model-plan.md
has the format.

Knows the format only. The firmware has a reader of its own; this one serves `kittiwake model info`.
"""

from __future__ import annotations

import binascii
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.errors import ConfigError
from kittiwake.model.lower import descriptors, weights
from kittiwake.model.lower.steps import CONST, SCRATCH, STATE, Buffer, Data, Program, Ref, View, Word

MAGIC = b"KWMP"
VERSION = 1
_HEADER = "<4sHBBIIIIHHIIIIIBBHfifi"
HEADER_BYTES = struct.calcsize(_HEADER)
_SIZE_AT, _CRC_AT, _CRC_FROM = 8, 12, 16
_TYPES = {"int8": 0, "uint8": 1, "float32": 2, "int16": 3}
_SPACE = {SCRATCH: 0, STATE: 1, CONST: 2}
_SPACE_SHIFT = 28
MOST_BYTES = (1 << _SPACE_SHIFT) - 1  # of an area
_WORD_LIMIT = 1 << 31
_ONE_RUN = (0, 0, 0, 1)
# A kind of step and the words of its descriptor.
_Call = tuple[str, Sequence[Word]]


@dataclass(frozen=True)
class Header:
    """What a plan says of itself.

    Attributes:
        version: of the format.
        weight_layout: which kernels can run it.
        size: bytes of the plan.
        scratch, state: bytes of RAM, which several models share or each keeps.
        steps, resets: kernel calls of an invoke and of a reset.
        input_bytes, output_bytes: of one invoke, of all inputs and of all outputs.
        input_type, output_type: "int8", "int16", "uint8" or "float32", of the first.
        input_scale, input_zero_point, output_scale, output_zero_point: quantisation of the first.
    """

    version: int
    weight_layout: str
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


def with_note(plan: bytes, note: bytes) -> bytes:
    """A plan with a note behind it, which its length and CRC cover.

    Args:
        plan: as `write` gives it.
        note: a multiple of four bytes.
    """
    content = bytearray(plan + note)
    struct.pack_into("<I", content, _SIZE_AT, len(content))
    struct.pack_into("<I", content, _CRC_AT, binascii.crc32(content[_CRC_FROM:]))
    return bytes(content)


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


def write(program: Program, weight_layout: str, scratch: int, state: int) -> bytes:
    """Write a program.

    Args:
        program: its buffers placed by arena.place.
        weight_layout: one of weights.WEIGHT_LAYOUTS.
        scratch: bytes, as arena.place gave them.
        state: bytes, as arena.place gave them.

    Returns:
        The plan.
    """
    calls: list[_Call] = [(step.kind, step.words) for step in program.steps]
    resets = _resets(program)
    table_at = HEADER_BYTES
    words_at = table_at + 8 * (len(calls) + len(resets))
    data_at = words_at + 4 * sum(len(words) for _, words in calls + resets)
    data = _Writer(data_at)
    table, word_bytes = bytearray(), bytearray()
    for kind, words in calls + resets:
        table += struct.pack("<HHI", descriptors.KINDS[kind].number, len(words), words_at + len(word_bytes))
        word_bytes += b"".join(struct.pack("<I", _word(word, data)) for word in words)
    source, result = program.inputs[0].tensor, program.outputs[0].tensor
    ends = [(_address(view.buffer, view.offset, data), view.bytes) for view in (program.input, program.output)]
    body = bytes(table) + bytes(word_bytes) + data.content()
    head = [
        *(scratch, state, len(calls), len(resets), table_at),
        *ends[0],
        *ends[1],
        *(_TYPES[source.type], _TYPES[result.type], 0),
        *(source.scale, source.zero_point, result.scale, result.zero_point),
    ]
    size = HEADER_BYTES + len(body)
    header = struct.pack(_HEADER, MAGIC, VERSION, weights.WEIGHT_LAYOUTS.index(weight_layout), 0, size, 0, *head)
    crc = binascii.crc32(header[_CRC_FROM:] + body)
    return header[:12] + struct.pack("<I", crc) + header[_CRC_FROM:] + body


def too_large(program: Program) -> list[str]:
    """Name the steps whose strides or sizes no word of a descriptor holds, as those of a damaged file may be.

    Args:
        program: lowered.

    Returns:
        A reason a step.
    """
    return [
        f"{step.source}: a stride or size of {max(numbers)} is beyond the 2^31 of a plan"
        for step in program.steps
        if max(numbers := [word for word in step.words if isinstance(word, int)], default=0) >= _WORD_LIMIT
    ]


def _resets(program: Program) -> list[_Call]:
    """What puts the state back to its beginning: a fill where all bytes are alike, else a copy out of the plan."""
    calls: list[_Call] = []
    for buffer in program.states:
        content = buffer.data or bytes(buffer.size)
        most = max(set(content), key=content.count) if content else 0
        head = content.rstrip(b"\0")
        if head and len(set(head)) == 1:
            # What follows a stream's first rows is written before it is read: any filling will do.
            calls.append(_fill(buffer, head[0]))
        elif not head:
            calls.append(_fill(buffer, most))
        else:
            constant = View.whole(Buffer(len(content), CONST, content), (len(content),))
            words = descriptors.words(
                "copy",
                input=Ref(constant.buffer),
                output=Ref(buffer),
                sizes=(1, 1, 1, buffer.size),
                in_strides=_ONE_RUN,
                out_strides=_ONE_RUN,
            )
            calls.append(("copy", words))
    return calls


def _fill(buffer: Buffer, value: int) -> _Call:
    return "fill", descriptors.words("fill", output=Ref(buffer), bytes=buffer.size, value=value)


def _word(word: Word, data: _Writer) -> int:
    if isinstance(word, Data):
        return data.add(word.content)
    if isinstance(word, Ref):
        return _address(word.buffer, word.offset, data)
    if not 0 <= word < _WORD_LIMIT:
        raise ValueError(f"{word} is no word of a descriptor")
    return word


def _address(buffer: Buffer, offset: int, data: _Writer) -> int:
    place = data.add(buffer.data or b"") if buffer.kind == CONST else buffer.place
    if place < 0 or place + offset > MOST_BYTES:
        raise ValueError(f"no address: {buffer}")
    return _SPACE[buffer.kind] << _SPACE_SHIFT | place + offset


def read_header(content: bytes) -> Header:
    """Read what a plan says of itself.

    Args:
        content: of the .kwm file.

    Returns:
        Its header.

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
        version=fields[1],
        weight_layout=weights.WEIGHT_LAYOUTS[fields[2]],
        size=fields[4],
        scratch=fields[6],
        state=fields[7],
        steps=fields[8],
        resets=fields[9],
        input_bytes=fields[12],
        output_bytes=fields[14],
        input_type=names[fields[15]],
        output_type=names[fields[16]],
        input_scale=fields[18],
        input_zero_point=fields[19],
        output_scale=fields[20],
        output_zero_point=fields[21],
    )
