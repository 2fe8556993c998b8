"""States of a machine from recordings of a sensor: trained on blocks of samples, judged on what was kept back.

Knows recordings, blocks and who was taken for whom; foreign/states.py knows the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittiwake.errors import ConfigError, UsageError
from kittiwake.model.make import interpreter
from kittiwake.signals import csv_column, wav

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

LEAST_BLOCKS = 40  # of a state, below which nothing is trained
SHORTEST = 64  # samples of a block that the network's convolutions take
_KEPT_BACK = 4  # every fourth recording, or the last quarter of each
_QUANTILE = 0.999  # of samples that lie within the full scale


@dataclass(frozen=True)
class Trained:
    """A network that tells states.

    Attributes:
        model: the .tflite file's content; a softmax over `states`.
        states: names, in the order of its outputs.
        block: samples of an input, each less their mean and divided by `full_scale`.
        full_scale: in the recordings' numbers.
        taken_for: taken_for[i][j] blocks of state i that were kept back were taken for state j.
        is_by_recording: whether whole recordings were kept back; else the last quarter of each.
    """

    model: bytes
    states: list[str]
    block: int
    full_scale: float
    taken_for: list[list[int]]
    is_by_recording: bool


def train(
    folder: Path,
    column: str | None = None,
    block: int = 256,
    epochs: int = 30,
    seed: int = 1,
    python: str | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Train a network that tells which of a folder's states a block of samples shows.

    Args:
        folder: has a folder a state, of .csv files (as `kittiwake record` writes them) or .wav files.
        column: of the CSV files; "raw" when None, or the only one.
        block: samples of an input, at least SHORTEST.
        epochs: times that all blocks are gone through.
        seed: the same gives the same start.
        python: path of an interpreter with TensorFlow; see interpreter.ask.
        on_progress: told a line at a time.

    Returns:
        The network, and what it makes of what was kept back.

    Raises:
        UsageError, ConfigError: there are no two states, or too few samples of one.
        KittiwakeError: a library is missing.
    """
    import numpy

    if block < SHORTEST:
        raise ConfigError(f"a block of {block} samples is too short", f"give {SHORTEST} or more")
    recordings = _read(folder, column)
    is_by_recording = all(len(each) >= _KEPT_BACK for each in recordings.values())
    learnt: list[Array] = []
    kept: list[Array] = []
    for name, samples in recordings.items():
        parts = _split(samples, block, is_by_recording)
        if len(parts[0]) < LEAST_BLOCKS or not len(parts[1]):
            raise ConfigError(
                f"{name}: {len(parts[0])} blocks of {block} samples are too few", f"record for {LEAST_BLOCKS} or more"
            )
        learnt.append(parts[0])
        kept.append(parts[1])
    full_scale = max(1e-9, float(numpy.quantile(numpy.abs(numpy.concatenate(learnt)), _QUANTILE)))
    on_progress(f"{sum(map(len, learnt))} blocks of {len(learnt)} states; {sum(map(len, kept))} are kept back")
    answer = interpreter.ask(
        "states",
        {"epochs": epochs, "seed": seed},
        {
            "blocks": scaled(numpy.concatenate(learnt), full_scale),
            "states": numpy.repeat(numpy.arange(len(learnt)), [len(each) for each in learnt]),
            "trials": scaled(numpy.concatenate(kept), full_scale),
        },
        {"model.tflite": "file", "outputs": "array"},
        python,
        on_progress,
    )
    said = answer.arrays["outputs"].reshape(-1, len(kept)).argmax(axis=1)
    true = numpy.repeat(numpy.arange(len(kept)), [len(each) for each in kept])
    states = range(len(kept))
    taken_for = [[int(((true == i) & (said == j)).sum()) for j in states] for i in states]
    return Trained(answer.files["model.tflite"], list(recordings), block, full_scale, taken_for, is_by_recording)


def blocks(samples: Array, size: int, step: int) -> Array:
    """The blocks of a recording, each less its mean."""
    import numpy

    starts = range(0, len(samples) - size + 1, step)
    rows = [samples[start : start + size] - samples[start : start + size].mean() for start in starts]
    return numpy.array(rows, "float32").reshape(-1, size)


def scaled(rows: Array, full_scale: float) -> Array:
    """Blocks as the network takes them: within ±1, saturated."""
    import numpy

    held: Array = numpy.clip(rows / full_scale, -1, 1)
    return held.astype("float32")


def _split(recordings: list[Array], block: int, is_by_recording: bool) -> tuple[Array, Array]:
    """Blocks to learn from, which overlap by half, and blocks that are kept back, which do not."""
    import numpy

    if is_by_recording:
        learnt = [x for number, x in enumerate(recordings, 1) if number % _KEPT_BACK]
        kept = recordings[_KEPT_BACK - 1 :: _KEPT_BACK]
    else:
        learnt = [x[: -(len(x) // _KEPT_BACK) or None] for x in recordings]
        kept = [x[len(x) - len(x) // _KEPT_BACK :] for x in recordings]
    return (
        numpy.concatenate([blocks(x, block, block // 2) for x in learnt]),
        numpy.concatenate([blocks(x, block, block) for x in kept]),
    )


def _read(folder: Path, column: str | None) -> dict[str, list[Array]]:
    recordings: dict[str, list[Array]] = {}
    for path in sorted([*folder.glob("*/*.csv"), *folder.glob("*/*.wav")]):
        recordings.setdefault(path.parent.name, []).append(_samples(path, column))
    if len(recordings) < 2:
        raise UsageError(f"{folder} has no two folders of recordings", "make a folder a state, of .csv or .wav files")
    return recordings


def _samples(path: Path, column: str | None) -> Array:
    import numpy

    if path.suffix == ".wav":
        return numpy.array(wav.read_wav(path), "float32")
    with open(path, encoding="utf-8-sig") as file:
        heads = file.readline().strip().replace(";", ",").split(",")
    name = column or ("raw" if "raw" in heads else None)
    return numpy.array([float(value) for value in csv_column.read_column(path, name).values], "float32")
