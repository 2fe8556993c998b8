"""Mutated frames into both ends of the link: bounded memory, no exception, and good frames after bad ones arrive."""

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import fuzz

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
FRAMES = 1_000_000 if SOAK else 50_000
BATCH = 50
UP, DOWN = fuzz.seeds()


@pytest.mark.timeout(3600 if SOAK else 180)
@pytest.mark.parametrize(("end", "frames"), [(fuzz.GatewayEnd, UP), (fuzz.DeviceEnd, DOWN)], ids=["bridge", "device"])
def test_link_end_fed_mutated_frames_stays_in_bounds_and_recovers(end, frames, caplog):
    caplog.set_level("CRITICAL")
    rng = random.Random(20)
    for _ in range(FRAMES // BATCH):
        target = end()
        for _ in range(BATCH):
            target.ready()
            data = fuzz.mutated(rng, frames)
            cut = rng.randrange(len(data) + 1)
            target.feed(data[:cut])
            target.feed(data[cut:])
        target.feed(b"\xc0")
        target.good_exchange()


@settings(max_examples=2000 if SOAK else 200, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_link_ends_fed_anything_stay_in_bounds_and_recover(chunks):
    for end in (fuzz.GatewayEnd, fuzz.DeviceEnd):
        target = end()
        for chunk in chunks:
            target.feed(chunk)
        target.feed(b"\xc0")
        target.good_exchange()


def test_link_end_that_raised_on_a_bad_frame_would_be_caught(monkeypatch, caplog):
    # The mutation: a publisher that trusts its sums.
    monkeypatch.setattr("kittiwake.publish.publisher.ArithmeticError", KeyError, raising=False)
    caplog.set_level("CRITICAL")
    # One frame in some thousands is such a one; which of them changes with every new kind of record.
    rng = random.Random(29)
    with pytest.raises(ArithmeticError):
        for _ in range(4 * FRAMES // BATCH):
            target = fuzz.GatewayEnd()
            for _ in range(BATCH):
                target.ready()
                target.feed(fuzz.mutated(rng, UP))


if SOAK:

    @pytest.mark.timeout(3600)
    @pytest.mark.parametrize("end", ["bridge", "device"])
    def test_link_end_under_a_coverage_guided_fuzzer_finds_nothing(end, tmp_path):
        if importlib.util.find_spec("atheris") is None:
            pytest.skip("atheris is not installed: pip install 'kittiwake[fuzz]'")
        tool = Path(__file__).resolve().parents[2] / "tools" / "fuzz_link.py"
        command = [sys.executable, str(tool), end, "-runs=1000000", "-max_total_time=600", "-max_len=2000"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
