"""Power cuts at flash operations, on MicroPython's unix port and its LittleFS: cuts.py does them, oracle.py judges.

KITTIWAKE_SOAK=1 (and `make test-powercut`) cuts at every operation, whole and torn; else at some, evenly spread.
"""

import json
import os

import pytest

from tests.support import cut_tally
from tests.support.micropython import FIRMWARE, run_script

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
LIMIT_S = 7000 if SOAK else 500  # a loaded machine takes ten times as long as an idle one
pytestmark = pytest.mark.timeout(LIMIT_S + 100)


def cut(seed, block_bytes, blocks, records, cuts, sabotage="", tail_bytes=0, bad=0):
    """Run cuts.py with these settings; its report."""
    settings = {"seed": seed, "block_bytes": block_bytes, "blocks": blocks, "tail_bytes": tail_bytes, "bad": bad}
    settings |= {"records": records, "cuts": cuts, "sabotage": sabotage}
    return run_script("tests/powercut/cuts.py", str(FIRMWARE), json.dumps(settings), timeout_s=LIMIT_S)


@pytest.mark.parametrize(
    ("seed", "block_bytes", "blocks"),
    [(1, 512, 80), (2, 4096, 20), (3, 512, 256)],
)
def test_journal_cut_at_any_flash_operation_keeps_its_promises(seed, block_bytes, blocks):
    report = cut(seed, block_bytes, blocks, 800, 0 if SOAK else 150)
    cut_tally.add("unix", report["cuts"], report["faults"])
    print(report)
    assert report["faults"] == {}, report["first"]
    assert report["cuts"] >= (10_000 if SOAK else 150)
    assert report["records"] >= 800 and report["acked"] > 100
    if blocks < 100:
        assert sum(report["evicted"]) > 0


@pytest.mark.parametrize(
    ("seed", "block_bytes", "blocks", "tail_bytes", "most", "some"),
    [(11, 512, 80, 0, 20_000, 700), (4, 4096, 33, 512, 15_000, 250)],
    ids=["as-netduino2", "with-tails"],
)
def test_journal_over_2000_records_cut_at_every_operation_keeps_its_promises(
    seed, block_bytes, blocks, tail_bytes, most, some
):
    report = cut(seed, block_bytes, blocks, 2000, 0 if SOAK else some, tail_bytes=tail_bytes)
    cut_tally.add("unix", report["cuts"], report["faults"])
    print(report)
    assert report["faults"] == {}, report["first"]
    assert report["cuts"] >= (most if SOAK else some)
    assert report["records"] >= 2000 and report["acked"] > 1000 and sum(report["evicted"]) > 0


def test_oracle_over_a_journal_that_commits_too_late_finds_losses():
    report = cut(1, 512, 80, 200, 30, sabotage="early")
    assert report["faults"]["lost"] > 0 and report["faults"]["reused"] > 0


def test_oracle_over_a_journal_that_evicts_without_telling_finds_losses():
    report = cut(5, 512, 64, 600, 100, sabotage="forgetful")
    assert report["faults"]["lost"] > 0


def test_oracle_over_a_journal_that_loses_its_tails_finds_losses():
    report = cut(4, 4096, 33, 300, 40, sabotage="lossy", tail_bytes=512)
    assert report["faults"]["lost"] > 0
