"""The life of flash under the journal, counted at the block device."""

import pytest

from kittiwake.target.micropython_unix import find_micropython
from tools import bench_wear

pytestmark = pytest.mark.skipif(find_micropython() is None, reason="micropython missing: make setup-dev")


def test_wear_of_a_month_of_usual_load_lets_the_most_worn_block_live_20_years():
    row = bench_wear.run(bench_wear.LOADS[0])
    assert row["records"] == 30 * 24 * (60 + 60 + 10) - 2, "a summary and a health record a minute, 10 alerts an hour"
    assert row["failed"] == row["evicted"] == 0
    assert row["years"] >= 20
    assert row["years_mean"] >= row["years"]


def test_wear_without_a_listener_fills_the_journal_and_evicts():
    load = bench_wear.Load("a full journal", 1, 6, days=0.5)
    row = bench_wear.run(load, listens=False)
    assert row["evicted"] > 0 and row["failed"] == 0
    assert row["erased_blocks"] > bench_wear.BLOCKS


def test_wear_counts_every_erase_so_a_journal_that_commits_each_record_lives_shorter():
    # The check can fail: telemetry that does not wait costs what it must.
    usual = bench_wear.run(bench_wear.Load("batched", 1, 0, 60_000, days=0.5))
    hasty = bench_wear.run(bench_wear.Load("one by one", 1, 0, 10, days=0.5))
    assert hasty["commits"] > 10 * usual["commits"]
    assert hasty["years_mean"] < usual["years_mean"] / 1.5


@pytest.mark.parametrize(("erases", "days", "expected"), [(100_000, 365.25, 1.0), (1000, 36.525, 10.0)])
def test_wear_years_of_known_erases(erases, days, expected):
    assert bench_wear.years(erases, days) == expected
