"""Recordings in a folder a class, as clips of features: what a network for wake words is trained on.

Knows WAV files, the front end's package and how a recording is varied; no network.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.signals import wav

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

CLIP_SAMPLES = 48000  # 3 s
FRAMES = 1 + (CLIP_SAMPLES - 480) // 160
_LEAD_SAMPLES = 8000  # in which the front end learns how loud silence is
_BODY_SAMPLES = 32000
_STEP_BYTES = 320
_HISS = 2.0  # standard deviation of what a silent microphone gives
_APART = "_"  # begins the names of folders of sounds that are no words


@dataclass(frozen=True)
class Sound:
    """A recording.

    Attributes:
        folder: its folder's name, which is its class.
        samples: int16 at 16 kHz.
    """

    folder: str
    samples: Array

    @property
    def is_apart(self) -> bool:
        """Whether it is of no word: noise, other speech."""
        return self.folder.startswith(_APART)


def read(folder: Path) -> list[Sound]:
    """Read all recordings.

    Args:
        folder: has a folder a class, of .wav files; those of sounds that are no words begin with "_".

    Returns:
        Them, by folder and name.

    Raises:
        UsageError: the folder has no such folders.
        ConfigError: a file is no 16 kHz mono 16-bit WAV.
    """
    import numpy

    paths = sorted(folder.glob("*/*.wav"))
    if not paths:
        raise UsageError(f"{folder} has no folders with .wav files", "make a folder a word, and _other for the rest")
    return [Sound(path.parent.name, numpy.array(wav.read_wav(path), numpy.int16)) for path in paths]


def held_out(sounds: list[Sound], every: int = 4) -> tuple[list[Sound], list[Sound]]:
    """Keep every fourth recording of each class back. Returns (those to train on, those kept back)."""
    counts: dict[str, int] = {}
    parts: tuple[list[Sound], list[Sound]] = ([], [])
    for sound in sounds:
        number = counts[sound.folder] = counts.get(sound.folder, 0) + 1
        parts[number % every == 0].append(sound)
    return parts


def varied(sound: Sound, noises: list[Sound], chance: numpy.random.Generator) -> Array:
    """A clip of a recording as it might have been: place, loudness, speed, noise.

    Args:
        sound: the recording.
        noises: of which one may be mixed in.
        chance: decides.

    Returns:
        CLIP_SAMPLES int16.
    """
    import numpy

    samples = sound.samples.astype("float32")
    speed = chance.uniform(0.9, 1.1)
    samples = numpy.interp(numpy.arange(0, len(samples) - 1, speed), numpy.arange(len(samples)), samples)
    # A word is where it is loudest; of what is no word any piece will do.
    start = int(chance.integers(0, max(1, len(samples) - _BODY_SAMPLES))) if sound.is_apart else _loudest(samples)
    body = samples[start : start + _BODY_SAMPLES] * 10 ** (chance.uniform(-12, 3) / 20)
    clip = chance.normal(0, 10 ** chance.uniform(0, 2), CLIP_SAMPLES)
    if noises and chance.random() < 0.5:
        clip += _noise(noises[chance.integers(len(noises))].samples, body, chance)
    place = _LEAD_SAMPLES + int(chance.integers(0, CLIP_SAMPLES - _LEAD_SAMPLES - len(body) + 1))
    clip[place : place + len(body)] += body
    return _int16(clip)


def as_recorded(sound: Sound) -> list[Array]:
    """Clips of a recording as it is: a word's loudest two seconds, of other sounds all, in pieces."""
    import numpy

    samples = sound.samples.astype("float32")
    starts = range(0, len(samples), _BODY_SAMPLES) if sound.is_apart else [_loudest(samples)]
    hiss = numpy.random.default_rng(1).normal(0, _HISS, CLIP_SAMPLES)
    clips = []
    for start in starts:
        clip = hiss.copy()
        body = samples[start : start + _BODY_SAMPLES]
        clip[_LEAD_SAMPLES : _LEAD_SAMPLES + len(body)] += body
        clips.append(_int16(clip))
    return clips


def features(clip: Array) -> Array:
    """The front end's features of a clip, (FRAMES, 40), as models are trained on them.

    Raises:
        KittiwakeError: the front end's package is not there.
    """
    if find_spec("pymicro_features") is None:
        raise KittiwakeError("pymicro-features is not there", "install kittiwake[train]")
    import numpy
    from pymicro_features import MicroFrontend

    front_end, frames, at = MicroFrontend(), [], 0
    content = array("h", clip.tolist()).tobytes()
    while at + _STEP_BYTES <= len(content):
        step = front_end.process_samples(content[at : at + _STEP_BYTES])
        at += 2 * step.samples_read
        if step.features:
            frames.append(step.features)
    return numpy.array(frames, numpy.float32)


def _loudest(samples: Array) -> int:
    """Where two seconds begin whose middle is the loudest half second."""
    import numpy

    if len(samples) <= _BODY_SAMPLES:
        return 0
    energy = numpy.concatenate([[0.0], numpy.cumsum(samples.astype("float64") ** 2)])
    half = 8000
    middle = int((energy[half:] - energy[:-half]).argmax()) + half // 2
    return min(max(0, middle - _BODY_SAMPLES // 2), len(samples) - _BODY_SAMPLES)


def _noise(noise: Array, body: Array, chance: numpy.random.Generator) -> Array:
    """A clip of noise, 5 to 25 dB below the body."""
    import numpy

    start = int(chance.integers(0, max(1, len(noise) - CLIP_SAMPLES)))
    piece = numpy.resize(noise[start : start + CLIP_SAMPLES].astype("float32"), CLIP_SAMPLES)
    loud, quiet = (float(numpy.sqrt((x.astype("float64") ** 2).mean())) for x in (body, piece))
    return piece * (loud / max(quiet, 1.0) / 10 ** (chance.uniform(5, 25) / 20))


def _int16(clip: Array) -> Array:
    import numpy

    held: Array = numpy.clip(numpy.rint(clip), -32768, 32767)
    return held.astype("int16")
