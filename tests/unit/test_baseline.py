"""The baseline against its reference, its bytes, and the recordings of a fan."""

import csv
import random
from array import array
from fractions import Fraction
from pathlib import Path

import pytest

from kittiwake.reference import baseline as reference
from kittiwake_node import kernels
from kittiwake_node.detect.baseline import NAMES, Baseline
from kittiwake_node.errors import ConfigError, StorageError

PLAIN = kernels.load("plain")


def run(detector, samples, seed=1):
    """Feed in random blocks; returns (index, feature) of each anomalous block's end."""
    chance = random.Random(seed)
    buf, at, found = array("h", samples), 0, []
    while at < len(buf):
        stop = min(len(buf), at + chance.choice((1, 7, 64, 300)))
        while at < stop:
            at = detector.find(buf, at, stop)
            if at < stop:
                found.append((at, detector.feature))
                at += 1
    return found


def machine(seed, blocks, block, sick_from):
    """Noise whose amplitude wanders a little, and grows by half in a sick machine; some blocks faster than others."""
    chance = random.Random(seed)
    out = []
    for number in range(blocks):
        sigma = chance.uniform(95, 105) * (1.5 if number >= sick_from and chance.random() < 0.5 else 1)
        out += [max(-32768, min(32767, round(chance.gauss(700, sigma)))) for _ in range(block)]
    return out


@pytest.mark.parametrize("features", [("variance",), ("peak", "range"), NAMES])
@pytest.mark.parametrize(("block", "learn", "t"), [(64, 30, "5"), (16, 8, "3"), (200, 12, "9/2")])
def test_baseline_of_a_machine_equals_reference(features, block, learn, t):
    t = Fraction(t)
    samples = machine(block, 150, block, 60)
    samples[70 * block : 71 * block] = [32767, -32768] * (block // 2)
    detector = Baseline(PLAIN, block, learn, features, t.numerator, t.denominator)
    found = run(detector, samples)
    assert len(found) > 3
    assert found == list(reference.anomalies(samples, block, learn, t, features))


def test_baseline_survives_a_reboot_and_judges_alike():
    samples = machine(5, 100, 64, 40)
    first = Baseline(PLAIN, 64, 20, ("variance", "range"))
    run(first, samples[: 64 * 30])
    second = Baseline(PLAIN, 64, 20, ("variance", "range"))
    second.restore(first.dump())
    assert second.learned
    rest = samples[64 * 30 :]
    assert run(second, rest) == run(first, rest) != []


def test_baseline_with_any_damaged_bit_is_refused():
    detector = Baseline(PLAIN, 16, 8)
    run(detector, machine(1, 12, 16, 99))
    good = detector.dump()
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StorageError):
            Baseline(PLAIN, 16, 8).restore(bytes(bad))
    for cut in range(len(good)):
        with pytest.raises(StorageError):
            Baseline(PLAIN, 16, 8).restore(good[:cut])
    with pytest.raises(StorageError):
        Baseline(PLAIN, 32, 8).restore(good)
    with pytest.raises(StorageError):
        Baseline(PLAIN, 16, 8, ("range",)).restore(good)


def test_baseline_cleared_learns_again():
    detector = Baseline(PLAIN, 16, 8)
    run(detector, machine(1, 12, 16, 99))
    assert detector.learned
    detector.clear()
    assert not detector.learned
    run(detector, machine(2, 12, 16, 99))
    assert detector.figures(0)[0] == 8


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"block": 15}, "block"),
        ({"block": 16385}, "block"),
        ({"learn": 7}, "learn"),
        ({"features": ()}, "features"),
        ({"features": ("colour",)}, "features"),
        ({"p": 0}, "threshold"),
        ({"q": 256}, "threshold"),
    ],
)
def test_baseline_with_impossible_settings_names_the_setting(settings, code):
    with pytest.raises(ConfigError) as caught:
        Baseline(PLAIN, **settings)
    assert caught.value.code == code


def _clips(folder: Path, name: str) -> list[list[int]]:
    clips: dict[str, list[int]] = {}
    with open(folder / "fan_esp32" / name, newline="") as file:
        for row in csv.DictReader(file):
            clips.setdefault(row["clip"], []).append(int(row["x"]))
    return list(clips.values())


@pytest.mark.parametrize(("speed", "least"), [("low", 1.0), ("med", 1.0), ("high", 0.0)])
def test_baseline_of_an_unbalanced_fan_flags_it_and_never_a_good_one(data_dir, speed, least):
    """Axis x, one block a clip, t = 5; at the highest speed the weight hardly shows, and nothing false is flagged."""
    good = _clips(data_dir, f"fan_0_{speed}_0_weight.csv")
    bad = _clips(data_dir, f"fan_0_{speed}_1_weight.csv")
    half = len(good) // 2
    detector = Baseline(PLAIN, block=200, learn=half - 1)
    learning = [x for clip in good[:half] for x in clip]
    assert run(detector, learning) == []
    assert detector.learned
    assert run(detector, [x for clip in good[half:] for x in clip]) == []
    assert len(run(detector, [x for clip in bad for x in clip])) >= least * len(bad)
