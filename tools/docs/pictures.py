"""A picture a detector: what it sees of a synthetic signal, and what it misses, by the firmware on the unix port.

Each signal has the same seed in every run, and each stretch that should be seen or missed has a name. The alarms in
these stretches are counted, so that a page cannot say of a picture what is not in it.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kittiwake.plot import bands, picture
from kittiwake.runs import detect
from kittiwake.target import open_target


@dataclass(frozen=True)
class Scene:
    """A signal and what a detector makes of it.

    Args:
        title: over the picture.
        settings: the detector's.
        signal: forms the samples, LSB.
        seen, missed: name -> (first, last) sample of stretches with at least one alarm, and without any.
        most_elsewhere: alarms there may be outside of them.
    """

    title: str
    settings: dict[str, Any]
    signal: Callable[[], array[int]]
    seen: dict[str, tuple[int, int]]
    missed: dict[str, tuple[int, int]]
    most_elsewhere: int = 0


def _noise(count: int, level: float, deviation: float, seed: int) -> list[float]:
    generator = random.Random(seed)
    return [generator.gauss(level, deviation) for _ in range(count)]


def _samples(values: list[float]) -> array[int]:
    return array("h", [round(value) for value in values])


def _spikes() -> array[int]:
    values = _noise(3000, 1000, 10, 1)
    values[600] += 90
    values[1200] -= 80
    for i in range(1700, 1712):  # twelve outliers in one window lift its deviation over all of them
        values[i] += 90
    for i in range(2200, 3000):
        values[i] += 0.05 * (i - 2200)
    return _samples(values)


def _pair() -> array[int]:
    values = _noise(1500, 1000, 10, 2)
    for i in (500, 503, 506):
        values[i] += 120
    for i in range(1000, 1500):
        values[i] += 200
    return _samples(values)


def _levels() -> array[int]:
    values = _noise(9000, 1000, 10, 3)
    values[2500] += 60
    for i in range(4500, 9000):
        values[i] += min(40.0, 0.04 * (i - 4500))
    for i in range(3400, 3600):
        values[i] = 1000 + 1.5 * (values[i] - 1000)
    return _samples(values)


def _days() -> array[int]:
    day = 400
    values = []
    for i, noise in enumerate(_noise(6000, 0, 6, 4)):
        hour = i % day
        values.append(1000 + noise + (200 if 140 <= hour < 300 else 0))
    for i in range(3250, 3290):  # between the two levels, where the signal has never stayed
        values[i] += 100
    for i in range(4410, 4450):  # the day's level, at night
        values[i] += 200
    for i in range(5300, 5360):
        values[i] -= 120
    return _samples(values)


def _machine() -> array[int]:
    values = []
    for i, noise in enumerate(_noise(12000, 0, 30, 5)):
        values.append(noise * (1.6 if i >= 9000 else 1.0))
    values[7000] += 250
    return _samples(values)


SCENES = {
    "zscore": Scene(
        "z-score, n = 64, t = 11/2, noise of 10 LSB",
        {"kind": "zscore", "n": 64, "t": "11/2"},
        _spikes,
        {"spike": (560, 640), "dip": (1160, 1240), "burst: its first": (1690, 1700)},
        {"burst: the rest": (1701, 1780), "slow drift": (2200, 2990)},
    ),
    "zscore-lagged": Scene(
        "z-score, lagged, n = 64, t = 11/2: outliers close together, and a step",
        {"kind": "zscore", "n": 64, "t": "11/2", "lagged": True},
        _pair,
        {"three in a row": (480, 530), "step: its beginning": (1000, 1030)},
        {"step: once it is in the window": (1070, 1490)},
    ),
    "drift": Scene(
        "drift, as it is by default",
        {"kind": "drift"},
        _levels,
        {"slow rise of 4 deviations": (4550, 8990)},
        {"spike": (2450, 2550), "1.5 times the noise": (3400, 3600)},
    ),
    "novelty": Scene(
        "novelty, as it is by default: days of two levels",
        {"kind": "novelty"},
        _days,
        {"a level never met": (3240, 3320), "below all": (5290, 5390)},
        {"the day's level at night": (4400, 4500)},
        40,
    ),
    "baseline": Scene(
        "baseline by variance, blocks of 200, 20 of them learned",
        {"kind": "baseline", "block": 200, "learn": 20},
        _machine,
        {"1.6 times the vibration": (9000, 11999)},
        {"one spike": (6900, 7100)},
        2,
    ),
}


def write(folder: Path) -> None:
    """Draw every picture into a folder, as NAME.svg.

    Raises:
        ValueError: the firmware does not see what a page says, or sees what it must miss.
        KittiwakeError: the unix port is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open_target("unix") as board:
        board.deploy_firmware()
        for name, scene in SCENES.items():
            samples = scene.signal()
            alarms = [alert["index"] for alert in detect.alerts(board, samples, scene.settings)]
            check(name, scene, alarms)
            stretches = scene.seen | scene.missed
            picture.draw(
                folder / f"{name}.svg",
                f"{scene.title}: {len(alarms)} alarms in {len(samples)} samples",
                samples,
                alarms,
                bands.bands(samples, scene.settings),
                list(stretches.values()),
                [f"{what}: {'seen' if what in scene.seen else 'missed'}" for what in stretches],
            )


def check(name: str, scene: Scene, alarms: list[int]) -> None:
    """Hold the alarms against what the scene says. Raises ValueError."""
    counts = {what: _within(alarms, span) for what, span in (scene.seen | scene.missed).items()}
    wrong = [what for what in scene.seen if not counts[what]] + [what for what in scene.missed if counts[what]]
    elsewhere = len(alarms) - sum(counts.values())
    if wrong or elsewhere > scene.most_elsewhere:
        raise ValueError(f"picture {name}: {wrong} is not as its page says; alarms: {counts}, elsewhere {elsewhere}")


def _within(alarms: list[int], span: tuple[int, int]) -> int:
    return sum(span[0] <= alarm <= span[1] for alarm in alarms)
