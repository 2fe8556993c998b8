"""A day with the link down: what the policy keeps arrives, and the counters add up to the record."""

import os

import pytest

from kittiwake.signals import vibration
from tests.support.micropython import FIRMWARE, ROOT, run_script

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
HOURS = 24 if SOAK else 2.4


@pytest.mark.timeout(1800 if SOAK else 300)
def test_journal_after_a_day_without_a_gateway_delivers_the_newest_and_adds_up(tmp_path):
    path = tmp_path / "samples.i16"
    path.write_bytes(vibration.samples(60_000, anomalies_per_s=2.0, seed=3).tobytes())
    found = run_script(
        "tests/unit/day_run.py",
        *(str(FIRMWARE), str(ROOT / "tests/powercut"), str(path), str(HOURS)),
        heap="64M",
        timeout_s=1700 if SOAK else 280,
    )
    assert found["samples"] == HOURS * 3600 * 1000
    telemetry, alerts = found["produced"][1:]
    assert telemetry >= 2 * HOURS * 60 - 1, "a summary and a health record a minute"
    assert 5 * HOURS * 3600 < alerts < 9 * HOURS * 3600
    sums = [d + e for d, e in zip(found["delivered"], found["evicted"], strict=True)]
    assert sums == found["produced"]
    assert found["newest"] == [True, True, True]
    assert found["evicted"][2] > 0 and found["delivered"][2] > 5000
    assert found["failed"] == found["damaged"] == 0
    assert 0.8 * found["limit"] < found["down"]["used"] <= found["limit"]
