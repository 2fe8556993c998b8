"""Wake words from recordings: trained, judged on recordings that were kept back, and kept as wake words are.

Knows clips, outputs and decisions; sounds.py knows recordings, foreign/words.py the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittiwake.errors import ConfigError, UsageError
from kittiwake.model import wake
from kittiwake.model.make import interpreter, sounds
from kittiwake.model.make.sounds import Sound

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

LEAST, FEW = 8, 50  # recordings without which nothing is trained; below which the user is warned
WINDOW = 5  # outputs in the mean: 150 ms
_LOWEST, _HIGHEST = 0.5, 0.97  # cutoffs
_SURE = 1.96  # standard deviations of 95 %


@dataclass(frozen=True)
class Judged:
    """A class of recordings that were kept back.

    Attributes:
        heard: clips in which the word was heard.
        clips: how many there were.
    """

    heard: int
    clips: int


@dataclass(frozen=True)
class Trained:
    """A wake word that was trained.

    Attributes:
        word: as wake words are kept.
        recordings: of the word, to train on and kept back.
        kept_back: by folder, what was heard.
    """

    word: wake.WakeWord
    recordings: tuple[int, int]
    kept_back: dict[str, Judged]


def train(
    folder: Path,
    word: str | None = None,
    clips: int = 600,
    epochs: int = 30,
    seed: int = 1,
    python: str | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> list[Trained]:
    """Train a network for each word of a folder.

    Args:
        folder: see sounds.read.
        word: the only one, by its folder's name; all when None. The others are what it must not hear.
        clips: of each kind, made of the recordings by varying them.
        epochs: times that all clips are gone through.
        seed: the same gives the same clips.
        python: path of an interpreter with TensorFlow; see interpreter.ask.
        on_progress: told a line at a time.

    Returns:
        The words, by name.

    Raises:
        UsageError, ConfigError: there are no recordings, no such word, or too few of one.
        KittiwakeError: a library is missing.
    """
    every = sounds.read(folder)
    words = sorted({sound.folder for sound in every if not sound.is_apart})
    if word is not None and word not in words:
        raise UsageError(f"{folder} has no folder {word}", f"there are: {', '.join(words) or 'none without _'}")
    for name in [word] if word else words:
        own = sum(sound.folder == name for sound in every)
        for count, what in ((own, f"of {name}"), (len(every) - own, f"of what is not {name}")):
            if count < LEAST:
                raise ConfigError(
                    f"{count} recordings {what} are too few to learn and to judge by", f"record {LEAST} or more"
                )
            if count < FEW:
                on_progress(f"{count} recordings {what} are few: {FEW} of several people and places are a start")
    return [_one(every, name, clips, epochs, seed, python, on_progress) for name in ([word] if word else words)]


def _one(
    every: list[Sound],
    name: str,
    clips: int,
    epochs: int,
    seed: int,
    python: str | None,
    on_progress: Callable[[str], None],
) -> Trained:
    import numpy

    chance = numpy.random.default_rng(seed)
    learnt, kept = sounds.held_out(every)
    own = [sound for sound in learnt if sound.folder == name]
    others = [sound for sound in learnt if sound.folder != name]
    noises = [sound for sound in learnt if sound.is_apart]
    on_progress(f"{name}: {len(own)} recordings of it, {len(others)} of what it is not, {clips} clips of either")
    made = [sounds.varied(kind[i % len(kind)], noises, chance) for kind in (own, others) for i in range(clips)]
    trials = [(sound.folder, clip) for sound in kept for clip in sounds.as_recorded(sound)]
    answer = interpreter.ask(
        "words",
        {"window": WINDOW, "epochs": epochs, "seed": seed},
        {
            "clips": numpy.stack([sounds.features(clip) for clip in made]).astype("float16"),
            "is_word": numpy.repeat([1, 0], clips),
            "trials": numpy.stack([sounds.features(clip) for _, clip in trials]).astype("float16"),
        },
        {"model.tflite": "file", "word_outputs": "array", "other_outputs": "array", "trial_outputs": "array"},
        python,
        on_progress,
    )
    limit = cutoff(largest_sums(answer.arrays["word_outputs"]), largest_sums(answer.arrays["other_outputs"]))
    heard = largest_sums(answer.arrays["trial_outputs"]) > wake.limit(limit, WINDOW)
    kept_back: dict[str, Judged] = {}
    for (class_, _), was_heard in zip(trials, heard, strict=True):
        so_far = kept_back.get(class_, Judged(0, 0))
        kept_back[class_] = Judged(so_far.heard + int(was_heard), so_far.clips + 1)
    word = wake.WakeWord(name, name.replace("_", " "), answer.files["model.tflite"], limit, WINDOW)
    return Trained(word, (len(own), sum(sound.folder == name for sound in kept)), kept_back)


def largest_sums(outputs: Array) -> Array:
    """The largest sum of a window's outputs in each row, which decides as on the board."""
    import numpy

    sums = numpy.lib.stride_tricks.sliding_window_view(outputs.astype(int), WINDOW, axis=1).sum(axis=2)
    largest: Array = sums.max(axis=1)
    return largest


def cutoff(words: Array, others: Array) -> float:
    """A mean in the middle between nearly all words and nearly all else, in 256ths and to two decimals.

    Args:
        words: largest sums of clips with the word.
        others: largest sums of clips without.

    Returns:
        0.5 to 0.97.
    """
    import numpy

    middle = (float(numpy.quantile(words, 0.05)) + float(numpy.quantile(others, 0.995))) / 2
    return round(min(max(middle / (256 * WINDOW), _LOWEST), _HIGHEST), 2)


def bounds(part: int, whole: int) -> tuple[float, float]:
    """Between which shares the true one lies with 95 %, when `part` of `whole` were seen.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    share, z = part / whole, _SURE
    middle = share + z * z / (2 * whole)
    around = z * (share * (1 - share) / whole + z * z / (4 * whole * whole)) ** 0.5
    return max(0.0, (middle - around) / (1 + z * z / whole)), min(1.0, (middle + around) / (1 + z * z / whole))
