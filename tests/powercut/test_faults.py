"""Flash that fails, with a power cut and without: bad blocks, and bits that flip at rest. Seeds name every fault."""

import json

import pytest

from tests.powercut.test_cuts import LIMIT_S, SOAK, cut
from tests.support import cut_tally
from tests.support.micropython import FIRMWARE, run_script

pytestmark = pytest.mark.timeout(LIMIT_S + 100)


def _rest(seed, flips, trusts=False):
    settings = {"seed": seed, "blocks": 40, "records": 300, "flips": flips, "trusts": trusts}
    return run_script("tests/powercut/rest.py", str(FIRMWARE), json.dumps(settings), timeout_s=LIMIT_S)


def test_journal_on_flash_with_bad_blocks_cut_at_operations_keeps_its_promises():
    # Not at every operation: some thousand cuts in, MicroPython's unix port dies in its collector (segmentation fault).
    report = cut(4, 4096, 40, 600, 600 if SOAK else 60, tail_bytes=512, bad=6)
    cut_tally.add("unix", report["cuts"], report["faults"])
    assert report["faults"] == {}, report["first"]
    assert report["cuts"] >= 60 and report["bad_met"] >= 30


def test_journal_with_a_bit_flipped_anywhere_alters_and_invents_nothing():
    report = _rest(1, 2000 if SOAK else 150)
    print(report)
    # What stands in a segment is delivered, or counted as damaged. LittleFS's own bytes may take a commit along.
    assert set(report["segments"]) == {"whole", "damaged"}
    assert set(report["elsewhere"]) <= {"whole", "damaged", "silent", "refused"}
    assert report["segments"]["damaged"] >= 20
    assert report["elsewhere"].get("silent", 0) <= sum(report["elsewhere"].values()) // 4


def test_journal_that_trusts_every_byte_is_found_to_alter():
    """Shows that the test above can fail."""
    report = _rest(1, 40, trusts=True)
    assert report["segments"].get("altered", 0) + report["segments"].get("invented", 0) > 0
