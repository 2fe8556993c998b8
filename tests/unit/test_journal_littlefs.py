"""The journal on the real LittleFS of MicroPython's unix port; littlefs_run.py is what runs there."""

import pytest

from tests.support.micropython import FIRMWARE, ROOT, run_script


@pytest.fixture(scope="module")
def report():
    return run_script("tests/unit/littlefs_run.py", str(FIRMWARE), str(ROOT / "tests/powercut"), heap="32M")


def test_journal_on_littlefs_after_ten_thousand_records_holds_no_more_heap(report):
    assert report["heap_late"] - report["heap_early"] < 2048


def test_journal_with_tails_after_ten_thousand_records_holds_the_heap_of_the_first_hundreds(report):
    print(report["heap_tails"])
    early, late = report["heap_tails"]
    assert late - early < 256


@pytest.mark.parametrize("which", range(4))
def test_journal_on_littlefs_with_nobody_listening_adds_up(report, which):
    fill = report["fills"][which]
    assert [a + b for a, b in zip(fill["left"], fill["evicted"], strict=True)] == fill["produced"]
    assert fill["damaged"] == 0 and sum(fill["left"]) > 0


@pytest.mark.parametrize("which", range(4))
def test_journal_on_littlefs_when_full_never_meets_a_full_medium(report, which):
    fill = report["fills"][which]
    assert fill["failed"] == 0 and fill["least_free_blocks"] > 0
    assert fill["used_bytes"] <= fill["limit_bytes"] and sum(fill["evicted"]) > 0


@pytest.mark.parametrize("which", range(4))
def test_journal_on_littlefs_opened_again_knows_its_counts(report, which):
    fill = report["fills"][which]
    refused_since_the_last_mark = fill["next_seq"] - fill["again"]["next_seq"]
    assert sum(fill["evicted"]) - sum(fill["again"]["evicted"]) == refused_since_the_last_mark
    assert fill["again"]["id"] == 1
