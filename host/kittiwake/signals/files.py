"""Recordings as files that other programs take: CSV and WAV. Knows two formats; not how samples were got."""

from __future__ import annotations

import struct
import sys
from array import array
from pathlib import Path

import kittiwake
from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.signals.recording import Recording


def write(recording: Recording, path: Path, label: str = "") -> None:
    """Write a recording, whole or not at all; the suffix says how.

    .csv: `time_s` (from the first sample; not where nothing paced them), `raw` (LSB), `value` (units, where they are
    not the same), `label` (where one is given). .wav: 16 bits, mono, at the channel's rate; label, device, channel and
    time in its INFO list.

    Args:
        recording: what to write.
        path: of the file, which must not be there.
        label: what the recording shows; "" for nothing.

    Raises:
        UsageError: the file is there, or its suffix is another.
        ConfigError: nothing paced the samples, and a WAV file needs a rate.
        KittiwakeError: it cannot be written.
    """
    check_path(path)
    if path.suffix == ".wav" and not recording.rate_hz:
        raise ConfigError(
            "a WAV file has a rate, and the channel's is 0", "write a .csv, or give the channel a rate_hz"
        )
    content = _csv(recording, label) if path.suffix == ".csv" else _wav(recording, label)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place with -o") from error


def check_path(path: Path) -> None:
    """Refuse what `write` would, before anything is recorded.

    Args:
        path: that is to be written.

    Raises:
        UsageError: the file is there, its suffix is neither .csv nor .wav, or its folder is not there.
    """
    if path.suffix not in (".csv", ".wav"):
        raise UsageError(f"{path} is neither .csv nor .wav", "name the file so")
    if path.exists():
        raise UsageError(f"{path} is there already", "name another file, or remove it")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} is no folder", "make it first")


def _csv(recording: Recording, label: str) -> bytes:
    has_units = recording.scale != 1 or recording.offset != 0
    heads = [("time_s", recording.rate_hz), ("raw", True), ("value", has_units), ("label", label)]
    lines = [",".join(name for name, is_there in heads if is_there)]
    quoted = '"' + label.replace('"', '""') + '"' if any(c in label for c in ',";\n') else label
    for index, raw in enumerate(recording.samples):
        fields = [f"{index / recording.rate_hz:.6f}"] if recording.rate_hz else []
        fields.append(str(raw))
        if has_units:
            fields.append(repr(float(raw * recording.scale + recording.offset)))
        if label:
            fields.append(quoted)
        lines.append(",".join(fields))
    return ("\n".join(lines) + "\n").encode()


def _wav(recording: Recording, label: str) -> bytes:
    """RIFF: a format, the samples, then what a player shows. Source: Multimedia Programming Interface 1.0, 3."""
    rate_hz, words = recording.rate_hz, array("h", recording.samples)
    if sys.byteorder == "big":
        words.byteswap()
    notes_by_name = {
        b"INAM": label,
        b"ISRC": f"{recording.device}/{recording.channel}",
        b"ICRD": recording.started.isoformat(timespec="milliseconds"),
        b"ISFT": f"kittiwake {kittiwake.__version__}",
    }
    notes = b"".join(_chunk(name, text.encode() + b"\0") for name, text in notes_by_name.items() if text)
    form = struct.pack("<HHIIHH", 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    body = b"WAVE" + _chunk(b"fmt ", form) + _chunk(b"data", words.tobytes()) + _chunk(b"LIST", b"INFO" + notes)
    return _chunk(b"RIFF", body)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)
