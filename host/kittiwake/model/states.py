"""Plans that tell a machine's states: a network with the states' names and the scale of its samples behind it.

Knows the note (docs/spec/model-plan.md); how the network came about is model/make/states.py's business.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from kittiwake.errors import ConfigError
from kittiwake.model import compiler
from kittiwake.model.compiler import Compiled
from kittiwake.model.emit import kwm

NOTE_VERSION = 1
_TAIL = "<HHBBBB4sI"
_MAGIC = b"KWST"
_NAME_FIELD = 32
_NAME_BYTES = 31
_MOST_STATES = 255
_MOST_SAMPLES = 4096
_MOST_SHIFT = 22
_MULTIPLIER_LIMIT = 1 << 13


@dataclass(frozen=True)
class Note:
    """What a plan says of its states.

    Attributes:
        names: of the states, in the order of the network's outputs.
        block: samples of an input.
        multiplier, shift: a sample less its block's mean, times multiplier / 2^shift, is steps of the input's scale.
    """

    names: tuple[str, ...]
    block: int
    multiplier: int
    shift: int


def compile_states(model: bytes, names: Sequence[str], full_scale: float, isa: str, name: str) -> bytes:
    """Compile a network that tells states to a plan with its note.

    Args:
        model: the .tflite file's content: int8, one input of a block of samples, an output a state.
        names: of the states, in the order of its outputs.
        full_scale: LSB that the network knows as 1, above 0.
        isa: kernels it is for, see compiler.WEIGHT_LAYOUT_OF.
        name: of the model, for messages.

    Raises:
        ModelRefused: the network cannot run.
        ConfigError: it takes no block or gives no byte a state; a name or the scale cannot be.
    """
    return with_states(compiler.compile_model(model, isa, name), names, full_scale, name)


def with_states(compiled: Compiled, names: Sequence[str], full_scale: float, name: str) -> bytes:
    """Put the note behind a network's plan.

    Args:
        compiled: of an int8 network of one input, a block of samples, and an output a state.
        names: of the states, in the order of its outputs.
        full_scale: LSB that the network knows as 1, above 0.
        name: of the model, for messages.

    Raises:
        ConfigError: as `compile_states`.
    """
    inputs, outputs = compiled.program.inputs, compiled.program.outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise ConfigError(f"{name} has several inputs or outputs", "a network that tells states has one of each")
    source, result = inputs[0].tensor, outputs[0].tensor
    if compiled.has_halfwords:
        raise ConfigError(f"{name} computes with 16 bits, for which a node has no kernels", "convert it to int8")
    if source.type != "int8" or result.type != "int8":
        raise ConfigError(f"{name} takes {source.type} and gives {result.type}", "convert it with int8 ends")
    if not 2 <= source.elements <= _MOST_SAMPLES:
        raise ConfigError(f"{name} takes {source.elements} samples", f"a block has 2 to {_MOST_SAMPLES}")
    if result.elements != len(names) or not 2 <= len(names) <= _MOST_STATES or len(set(names)) != len(names):
        raise ConfigError(f"{name} gives {result.elements} outputs", f"name as many states: 2 to {_MOST_STATES}")
    for each in names:
        if not 1 <= len(each.encode()) <= _NAME_BYTES or not each.isprintable():
            raise ConfigError(f"{name}: a state is called {each!r}", f"a name has 1 to {_NAME_BYTES} printable bytes")
    multiplier, shift = _scaling(full_scale * source.scale)
    if not multiplier:
        raise ConfigError(f"{name}: a full scale of {full_scale:g}", "it is of samples of at most 16 bits")
    tail = struct.pack(_TAIL, source.elements, multiplier, NOTE_VERSION, shift, len(names), 0, _MAGIC, 0)
    return kwm.with_note(compiled.plan, b"".join(each.encode().ljust(_NAME_FIELD, b"\0") for each in names) + tail)


def _scaling(step: float) -> tuple[int, int]:
    """Multiplier and shift of 1/step, the multiplier as large as it may be; (0, 0) where there are none."""
    for shift in range(_MOST_SHIFT, 0, -1):
        multiplier = round(Fraction(1 << shift) / Fraction(step)) if step > 0 else 0
        if 0 < multiplier < _MULTIPLIER_LIMIT:
            return multiplier, shift
    return 0, 0


def read_note(plan: bytes, file: str) -> Note:
    """Read the note at the end of a plan that tells states.

    Args:
        plan: content of a whole .kwm file.
        file: its name, for the message.

    Raises:
        ConfigError: the plan tells none.
    """
    size = struct.calcsize(_TAIL)
    tail = plan[-size:]
    if len(plan) < kwm.HEADER_BYTES + size or tail[8:12] != _MAGIC:
        raise ConfigError(f"{file} tells no states", "make one with kittiwake model train states")
    block, multiplier, _, shift, count, _, _, _ = struct.unpack(_TAIL, tail)
    start = len(plan) - size - _NAME_FIELD * count
    fields = [plan[start + _NAME_FIELD * i : start + _NAME_FIELD * (i + 1)] for i in range(count)]
    names = tuple(each.rstrip(b"\0").decode(errors="replace") for each in fields)
    return Note(names, block, multiplier, shift)
