"""Features against their definitions: of samples that are known, by statistics and by sums written out here."""

import json
import math
import random
import statistics

import pytest

from kittiwake.decide import features
from kittiwake.decide.settings import SNAPSHOT_FEATURES, SUMMARY_FEATURES
from tests.history import records


def body_of(samples):
    return json.loads(records.summary(1, samples, 5000)[1])


def test_summary_features_are_those_of_its_samples():
    chance = random.Random(4)
    for _ in range(50):
        samples = [chance.randint(-3000, 3000) for _ in range(chance.randint(2, 40))]
        values = [sample / 100 - 0.3 for sample in samples]  # the scale and the offset of records.CHANNELS
        wanted = {
            "n": len(values),
            "mean": statistics.fmean(values),
            "stdev": statistics.stdev(values),
            "low": min(values),
            "high": max(values),
            "range": max(values) - min(values),
            "rms": math.sqrt(statistics.fmean(value * value for value in values)),
        }
        got = features.of_summary(body_of(samples), SUMMARY_FEATURES)
        assert got == pytest.approx([wanted[name] for name in SUMMARY_FEATURES], rel=1e-9, abs=1e-9)


def test_features_come_in_the_order_of_the_rule():
    assert features.of_summary(body_of([1, 3]), ["high", "n", "low"]) == [3 / 100 - 0.3, 2.0, 1 / 100 - 0.3]


def test_sums_beyond_a_double_are_exact():
    # n q - s² is 2, of terms of about 2^70: a double would give 0.
    big = 1 << 34
    body = {"n": 2, "s": 2 * big + 2, "q": 0, "q_exact": str(big * big + (big + 2) ** 2), "min": big, "max": big + 2}
    assert features.of_summary(body, ["stdev"]) == [math.sqrt(2)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"n": 1}, "a summary of 1 samples"),
        ({"n": True}, "it has no n"),
        ({"s": "5"}, "it has no s"),
        ({"q": 0}, "its sums are of no samples"),
        ({"scale": "1/0"}, "its scale is no number"),
        ({"scale": 0.01}, "its scale is no number"),
        ({"offset": "x"}, "its offset is no number"),
    ],
)
def test_summary_that_cannot_be_gives_no_features(change, why):
    with pytest.raises(features.NoFeatures) as caught:
        features.of_summary({**body_of([1, 2, 3]), **change}, ["mean"])
    assert why in str(caught.value)


def test_snapshot_features_are_those_of_its_samples():
    chance = random.Random(5)
    samples = [chance.randint(-500, 500) for _ in range(64)]
    mean = statistics.fmean(samples)
    moved = [sample - mean for sample in samples]
    power = statistics.fmean(value**2 for value in moved)
    wanted = {
        "n": 64,
        "mean": mean,
        "stdev": statistics.stdev(samples),
        "low": min(samples),
        "high": max(samples),
        "range": max(samples) - min(samples),
        "rms": math.sqrt(statistics.fmean(value**2 for value in samples)),
        "crest": max(map(abs, moved)) / math.sqrt(power),
        "kurtosis": statistics.fmean(value**4 for value in moved) / power**2,
    }
    got = features.of_samples(samples, SNAPSHOT_FEATURES)
    assert got == pytest.approx([wanted[name] for name in SNAPSHOT_FEATURES])


def test_band_has_the_share_of_the_power_of_its_tones():
    # A tone of amplitude 300 at an eighth of the sampling rate, one of 100 at a quarter: powers as 9 to 1.
    samples = [
        round(300 * math.sin(2 * math.pi * n / 8) * 100 + 100 * math.sin(2 * math.pi * n / 4) * 100) for n in range(128)
    ]
    low, high, none, all_of_it = features.of_samples(
        samples, ["band:100-150", "band:200-300", "band:300-400", "band:0-500"]
    )
    assert (round(low, 4), round(high, 4), round(none, 4), round(all_of_it, 9)) == (0.9, 0.1, 0.0, 1.0)


def test_signal_that_does_not_move_has_neither_peaks_nor_bands():
    assert features.of_samples([7] * 16, ["crest", "kurtosis", "stdev", "band:0-500"]) == [0.0, 0.0, 0.0, 0.0]


def test_snapshot_of_one_sample_gives_no_features():
    with pytest.raises(features.NoFeatures):
        features.of_samples([1], ["mean"])
