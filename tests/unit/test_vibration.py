"""The synthetic vibration: seeded, integers, and the statistics that the guide gives."""

import statistics

import pytest

from kittiwake.signals import vibration


def test_vibration_same_seed_gives_the_same_readings():
    assert vibration.samples(1000, seed=7) == vibration.samples(1000, seed=7)
    assert vibration.samples(1000, seed=7) != vibration.samples(1000, seed=8)


def test_vibration_longer_run_begins_with_the_shorter():
    assert vibration.samples(2000, seed=3)[:500] == vibration.samples(500, seed=3)


def test_vibration_without_anomalies_has_the_guides_mean_and_sigma():
    readings = vibration.samples(100_000, anomalies_per_s=0, seed=1)
    assert readings.typecode == "h"
    assert statistics.mean(readings) == pytest.approx(420, abs=0.5)
    assert statistics.stdev(readings) == pytest.approx(30, rel=0.02)


def test_vibration_anomalies_are_two_a_second_and_of_the_guides_size():
    with_anomalies = vibration.samples(200_000, seed=5)
    far = [x for x in with_anomalies if x > 420 + 6 * 30]
    assert len(far) == pytest.approx(400, abs=80)  # 4 sigma of the count
    assert max(far) < 420 + 800 + 6 * 30


def test_vibration_every_sample_an_anomaly_is_allowed():
    assert min(vibration.samples(1000, anomalies_per_s=1000, seed=1)) > 420 + 300 - 6 * 30


@pytest.mark.parametrize(
    "arguments", [{"count": -1}, {"count": 1, "rate_hz": 0}, {"count": 1, "anomalies_per_s": 1001}]
)
def test_vibration_nonsense_is_refused(arguments):
    with pytest.raises(ValueError):
        vibration.samples(**arguments)


def test_vibration_of_no_samples_is_empty():
    assert len(vibration.samples(0)) == 0
