"""Audio files: 16 kHz mono 16-bit WAV in, int16 samples out; anything else refused with the command that converts it.

Knows RIFF's chunks; resamples nothing.
"""

from __future__ import annotations

import shlex
import struct
import sys
from array import array
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError

RATE_HZ = 16000
_PCM, _EXTENSIBLE = 1, 0xFFFE


def read_wav(path: Path) -> array[int]:
    """Read a recording.

    Args:
        path: of the file.

    Returns:
        array('h') of its samples.

    Raises:
        UsageError: it cannot be read.
        ConfigError: it is no such file; the mend is a command that makes one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a WAV file") from error
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ConfigError(f"{path} is no WAV file", _conversion(path))
    chunks = _chunks(path, content)
    if "fmt " not in chunks or len(chunks["fmt "]) < 16 or "data" not in chunks:
        raise ConfigError(f"{path} has no format or no samples", "record it again; it is damaged")
    form, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", chunks["fmt "])
    wrong = []
    if form not in (_PCM, _EXTENSIBLE):
        wrong.append("is compressed or of floats")
    if channels != 1:
        wrong.append(f"has {channels} channels")
    if rate_hz != RATE_HZ:
        wrong.append(f"has {rate_hz} samples a second")
    if bits != 16:
        wrong.append(f"has {bits} bits a sample")
    if wrong:
        raise ConfigError(f"{path} {', '.join(wrong)}; 16 kHz mono 16-bit is what is taken", _conversion(path))
    samples = array("h", chunks["data"][: len(chunks["data"]) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _chunks(path: Path, content: bytes) -> dict[str, bytes]:
    chunks: dict[str, bytes] = {}
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        piece = content[at + 8 : at + 8 + size]
        if len(piece) < size:
            raise ConfigError(
                f"{path} is cut short: {size} bytes of {name.decode('latin-1')!r} announced, {len(piece)} are there",
                "copy or record it again",
            )
        chunks.setdefault(name.decode("latin-1"), piece)
        at += 8 + size + (size & 1)
    return chunks


def _conversion(path: Path) -> str:
    source, converted = shlex.quote(str(path)), shlex.quote(f"{path.stem}-16k.wav")
    return (
        f"convert it: ffmpeg -i {source} -ac 1 -ar 16000 -sample_fmt s16 {converted}"
        f"  or  sox {source} -c 1 -r 16000 -b 16 {converted}"
    )
