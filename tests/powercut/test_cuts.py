"""Power cuts at flash operations, on MicroPython's unix port and its LittleFS: cuts.py does them, oracle.py judges.

KITTIWAKE_SOAK=1 cuts at every operation, whole and torn.
"""

import json
import os

import pytest

from tests.support.micropython import FIRMWARE, run_script

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"


def _cut(seed, block_bytes, blocks, records, cuts, sabotage=""):
    settings = {"seed": seed, "block_bytes": block_bytes, "blocks": blocks}
    settings |= {"records": records, "cuts": cuts, "sabotage": sabotage}
    timeout_s = 3500 if SOAK else 110
    return run_script("tests/powercut/cuts.py", str(FIRMWARE), json.dumps(settings), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("seed", "block_bytes", "blocks"),
    [(1, 512, 80), (2, 4096, 20), (3, 512, 256)],
)
def test_journal_cut_at_any_flash_operation_keeps_its_promises(seed, block_bytes, blocks):
    report = _cut(seed, block_bytes, blocks, 800, 0 if SOAK else 150)
    print(report)
    assert report["faults"] == {}, report["first"]
    assert report["cuts"] >= (10_000 if SOAK else 150)
    assert report["records"] >= 800 and report["acked"] > 100
    if blocks < 100:
        assert sum(report["evicted"]) > 0


def test_oracle_over_a_journal_that_commits_too_late_finds_losses():
    report = _cut(1, 512, 80, 200, 30, sabotage="early")
    assert report["faults"]["lost"] > 0 and report["faults"]["reused"] > 0


def test_oracle_over_a_journal_that_evicts_without_telling_finds_losses():
    report = _cut(5, 512, 64, 600, 100, sabotage="forgetful")
    assert report["faults"]["lost"] > 0
