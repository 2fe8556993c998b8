"""Wake words: the models that can be had by name, their settings, and plans that carry them (docs/spec/model-plan.md).

Knows microWakeWord's version 2 files (a .json beside a .tflite) and the folder where added ones are kept.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.model import compiler
from kittiwake.model.emit import kwm

NAMES = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")
NOTE_VERSION = 1
_NOTE = "<4sBBBBHHI32s"
_NOTE_MAGIC = b"KWWW"
_FEATURES = 40
_STEP_MS = 10
_NAME_BYTES = 31


@dataclass(frozen=True)
class WakeWord:
    """A wake word's files, read.

    Attributes:
        name: by which it is known: its .tflite file's name.
        phrase: what is to be said.
        model: the .tflite file's content.
        cutoff: the mean of the window's probabilities must be above it.
        window: outputs in the mean.
    """

    name: str
    phrase: str
    model: bytes
    cutoff: float
    window: int


def folder() -> Path:
    """Where added wake words are kept: KITTIWAKE_MODELS, or the user's data folder."""
    named = os.environ.get("KITTIWAKE_MODELS")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(named) if named else Path(data) / "kittiwake" / "models"


def known() -> list[str]:
    """Names that `find` takes here: those added, and those of the package pymicro-wakeword."""
    added = {path.stem for path in folder().glob("*.json")} if folder().is_dir() else set()
    return sorted(added | (set(NAMES) if find_spec("pymicro_wakeword") else set()))


def find(name: str) -> WakeWord:
    """Read a wake word by its name, or by the path of its .json file.

    Raises:
        UsageError: there is none of that name, or no file there.
        ConfigError: the file's settings cannot be; says which.
    """
    if name.endswith(".json"):
        return read(Path(name))
    if (folder() / f"{name}.json").is_file():
        return read(folder() / f"{name}.json")
    if name in NAMES:
        if find_spec("pymicro_wakeword") is None:
            raise KittiwakeError(
                f"{name} comes with pymicro-wakeword, which is not here",
                "install kittiwake[wake] (Linux on x86-64), or name the model's .json",
            )
        with resources.as_file(resources.files("pymicro_wakeword") / "models") as models:
            return read(models / f"{name}.json")
    raise UsageError(
        f"no wake word is called {name!r}", f"name one of {', '.join(NAMES)}, or a microWakeWord .json file"
    )


def read(path: Path) -> WakeWord:
    """Read a microWakeWord version 2 model by its .json file.

    Raises:
        UsageError: a file cannot be read.
        ConfigError: a setting is missing or cannot be.
    """
    content = _content(path, "name a microWakeWord .json file")
    try:
        settings = json.loads(content)
        micro = settings["micro"]
        file, version = settings["model"], settings["version"]
        cutoff, window, step_ms = micro["probability_cutoff"], micro["sliding_window_size"], micro["feature_step_size"]
    except (ValueError, KeyError, TypeError) as error:
        problem = f"has no {error}" if isinstance(error, KeyError) else "is no JSON of a wake word"
        raise ConfigError(f"{path} {problem}", "name the .json of a microWakeWord model, version 2") from error
    if version != 2:
        raise ConfigError(f"{path}: version is {version!r}", "version 2 is what is known here")
    if not isinstance(cutoff, (int, float)) or not 0 < cutoff < 1:
        raise ConfigError(f"{path}: probability_cutoff is {cutoff!r}", "it is above 0 and below 1")
    if type(window) is not int or not 1 <= window <= 255:
        raise ConfigError(f"{path}: sliding_window_size is {window!r}", "it is 1 to 255")
    if step_ms != _STEP_MS:
        raise ConfigError(f"{path}: feature_step_size is {step_ms!r}", "the front end makes features each 10 ms")
    name = Path(str(file)).stem
    if not 1 <= len(name.encode()) <= _NAME_BYTES or not name.isprintable():
        raise ConfigError(f"{path}: model is {file!r}", f"its name must have 1 to {_NAME_BYTES} printable bytes")
    model = _content(path.parent / str(file), f"put it beside {path.name}")
    return WakeWord(name, str(settings.get("wake_word", name)), model, float(cutoff), window)


def add(name: str) -> WakeWord:
    """Keep a wake word where `find` sees it by its name, after making sure that it compiles.

    Raises:
        UsageError, ConfigError, ModelRefused: as `find` and `compile_word`.
        KittiwakeError: the folder cannot be written.
    """
    word = find(name)
    save(word, folder())
    return word


def save(word: WakeWord, place: Path) -> None:
    """Write a wake word's .tflite and .json into a folder, after making sure that it compiles.

    Raises:
        ConfigError, ModelRefused: as `compile_word`.
        KittiwakeError: the folder cannot be written.
    """
    compile_word(word, "viper")
    settings = {
        "version": 2,
        "wake_word": word.phrase,
        "model": f"{word.name}.tflite",
        "micro": {
            "probability_cutoff": word.cutoff,
            "sliding_window_size": word.window,
            "feature_step_size": _STEP_MS,
        },
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{word.name}.tflite").write_bytes(word.model)
        fresh = place / f".{word.name}.json"
        fresh.write_text(json.dumps(settings, indent=2) + "\n")
        shutil.move(fresh, place / f"{word.name}.json")
    except OSError as error:
        raise KittiwakeError(
            f"{place} cannot be written: {error.strerror}", "name another folder, or set KITTIWAKE_MODELS"
        ) from error


def compile_word(word: WakeWord, isa: str) -> bytes:
    """Compile a wake word to a plan with its note at the end.

    Args:
        word: as read.
        isa: kernels it is for, see compiler.WEIGHT_LAYOUT_OF.

    Raises:
        ModelRefused: the network cannot run.
        ConfigError: its input is not what the front end gives, or its output no probability.
    """
    compiled = compiler.compile_model(word.model, isa, word.name)
    program = compiled.program
    if len(program.inputs) != 1 or len(program.outputs) != 1:
        raise ConfigError(f"{word.name} has several inputs or outputs", "a wake word has one of each")
    if compiled.has_halfwords:
        raise ConfigError(f"{word.name} computes with 16 bits, for which a node has no kernels", "convert it to int8")
    source, result = program.inputs[0].tensor, program.outputs[0].tensor
    frames = source.shape[1] if len(source.shape) == 3 else 0
    if source.type != "int8" or len(source.shape) != 3 or source.shape[0] != 1 or source.shape[2] != _FEATURES:
        shape = " x ".join(map(str, source.shape))
        raise ConfigError(f"{word.name} takes {source.type} of {shape}", "a wake word takes int8 of 1 x frames x 40")
    zero = {"uint8": 0, "int8": -128}.get(result.type)
    if result.elements != 1 or result.scale != 1 / 256 or result.zero_point != zero:
        raise ConfigError(f"{word.name} gives no probability", "a wake word gives one uint8 or int8 in 256ths")
    flip = 0x80 if result.type == "int8" else 0
    note = struct.pack(
        _NOTE, _NOTE_MAGIC, NOTE_VERSION, word.window, flip, _STEP_MS, frames, 0,
        limit(word.cutoff, word.window), word.name.encode(),
    )  # fmt: skip
    return kwm.with_note(compiled.plan, note)


@dataclass(frozen=True)
class Note:
    """What a plan says of its wake word.

    Attributes:
        name: of the word.
        window: outputs in the sliding mean.
        stride: frames of features to an output.
        limit: the window's sum, in 256ths, must be above it.
    """

    name: str
    window: int
    stride: int
    limit: int


def read_note(plan: bytes, file: str) -> Note:
    """Read the note at the end of a wake word's plan.

    Args:
        plan: content of a whole .kwm file.
        file: its name, for the message.

    Raises:
        ConfigError: the plan is of no wake word.
    """
    if len(plan) < struct.calcsize(_NOTE) or plan[-struct.calcsize(_NOTE) :][:4] != _NOTE_MAGIC:
        raise ConfigError(f"{file} is the plan of no wake word", "make one with kittiwake model add")
    _, _, window, _, _, stride, _, limit, name = struct.unpack(_NOTE, plan[-struct.calcsize(_NOTE) :])
    return Note(name.rstrip(b"\0").decode(errors="replace"), window, stride, limit)


def limit(cutoff: float, window: int) -> int:
    """The largest sum of a window's outputs, in 256ths, whose mean as a float64 is not above the cutoff."""
    low, high = -1, 256 * window
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if float(Fraction(middle, 256 * window)) > cutoff else (middle, high)
    return max(0, low)


def _content(path: Path, mend: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", mend) from error
