"""A recording that somebody brings: every detector of the firmware over it, on the unix target, side by side."""

from __future__ import annotations

import tempfile
import threading
import wave
from array import array
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.runs import detect
from kittiwake.signals import csv_column
from kittiwake.target import open_target

FILE_LIMIT_BYTES = 8 * 1024 * 1024
SAMPLES_LIMIT = 500_000
# Each as a node's configuration has it; what is not said is the firmware's default.
DETECTORS: tuple[dict[str, Any], ...] = (
    {"kind": "zscore", "n": 256, "t": "11/2"},
    {"kind": "drift"},
    {"kind": "novelty"},
    {"kind": "baseline"},
)
_BITS = 12
_POINTS = 1500
_SHOWN = 500
_DAY_S = 86400

_one_at_a_time = threading.Lock()


def run(name: str, content: bytes, column: str, rate_hz: float) -> dict[str, Any]:
    """Run the detectors over a recording.

    Args:
        name: of the file; its ending says whether it is a WAV file, and it names nothing on this disk.
        content: of the file.
        column: of a CSV file; "" where it has one alone.
        rate_hz: samples a second of a CSV file; 0 where nobody knows.

    Returns:
        `samples`, `rate_hz`, `quantised`, `low` and `high` of pieces of `step` samples, and of each detector its
        settings, and the number of alerts and where the first ones are, or why the firmware refuses it.

    Raises:
        KittiwakeError: the file cannot be read, or another recording is being run.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise KittiwakeError("another recording is being run", "try again when it is done")
    try:
        with tempfile.TemporaryDirectory(prefix="kittiwake-recording-") as folder:
            path = Path(folder) / "recording"
            path.write_bytes(content)
            try:
                samples, rate_hz, is_quantised = _read(path, name, column, rate_hz)
            except KittiwakeError as error:
                raise KittiwakeError(error.message.replace(str(path), "the file"), error.mend) from error
        return _judge(samples, rate_hz, is_quantised)
    finally:
        _one_at_a_time.release()


def _read(path: Path, name: str, column: str, rate_hz: float) -> tuple[array[int], float, bool]:
    if name.lower().endswith(".wav"):
        samples, rate_hz = _wav(path)
        is_quantised = False
    else:
        samples, is_quantised = _csv(path, column)
    if len(samples) > SAMPLES_LIMIT:
        raise KittiwakeError(
            f"{len(samples)} samples are more than {SAMPLES_LIMIT}", "cut it, or use `kittiwake detect FILE`"
        )
    return samples, rate_hz, is_quantised


def _wav(path: Path) -> tuple[array[int], float]:
    try:
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise KittiwakeError("the file is not mono of 16 bits", "convert it: sox FILE -c 1 -b 16 NEW.wav")
            return array("h", file.readframes(file.getnframes())), float(file.getframerate())
    except (wave.Error, EOFError, ValueError) as error:
        raise KittiwakeError(f"the file is no WAV file: {error}", "save it as WAV, mono, 16 bits") from error


def _csv(path: Path, column: str) -> tuple[array[int], bool]:
    values = csv_column.read_column(path, column or None)
    low, high = csv_column.INT16
    if all(value.denominator == 1 and low <= value <= high for value in values.values):
        return csv_column.as_integers(values, path), False
    return csv_column.quantise(values, min(values.values), max(values.values), _BITS, path), True


def _judge(samples: array[int], rate_hz: float, is_quantised: bool) -> dict[str, Any]:
    judged: list[dict[str, Any]] = []
    with open_target("unix") as board:
        for settings in DETECTORS:
            try:
                at = [alert["index"] for alert in detect.alerts(board, samples, settings)]
            except KittiwakeError as error:
                judged.append({"settings": settings, "problem": error.message})
                continue
            a_day = len(at) * _DAY_S * rate_hz / len(samples) if rate_hz else None
            judged.append({"settings": settings, "count": len(at), "a_day": a_day, "at": at[:_SHOWN]})
    step = -(-len(samples) // _POINTS)
    pieces = [samples[start : start + step] for start in range(0, len(samples), step)]
    return {
        "samples": len(samples),
        "rate_hz": rate_hz,
        "quantised": _BITS if is_quantised else None,
        "step": step,
        "low": [min(piece) for piece in pieces],
        "high": [max(piece) for piece in pieces],
        "detectors": judged,
    }
