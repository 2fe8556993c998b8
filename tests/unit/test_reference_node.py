"""The page of node.toml is whole, and its bounds are those at which the firmware refuses."""

import re

import pytest

from kittiwake_node.config import check
from kittiwake_node.errors import ConfigError
from tools.docs import node_toml


@pytest.mark.parametrize(
    ("key", "name", "bounds"),
    [
        ("root", "block", "1 to 1024"),
        ("root", "commit_ms", "10 to 3600000"),
        ("channel", "bits", "8 to 16"),
        ("detector-zscore", "n", "2 to 1024"),
        ("detector-novelty", "sensitivity", "25 to 400"),
        ("detector-baseline", "learn", "8 to 65535"),
        ("source-adc", "room", "a power of two from 2 to 16384"),
        ("source-lis3dh", "range_g", "2, 4, 8, 16"),
        ("mqtt", "in_flight", "1 to 64"),
        ("uart", "baudrate", "300 to 12000000"),
    ],
)
def test_bounds_of_a_node_s_setting_are_the_firmware_s(key, name, bounds):
    table = next(table for table in node_toml.tables() if table.key == key)
    assert node_toml.bounds(table, name) == bounds


def test_bounds_that_are_a_range_are_its_very_ends():
    ranges = 0
    for table, rows in node_toml.pages():
        for row in rows:
            ends = re.match(r"(\d+) to (\d+)( LSB²)?$", row.bounds)
            if ends is None or table.key == "detector-zscore" and row.name == "n":  # which n goes with which t
                continue
            ranges += 1
            low, high = int(ends[1]), int(ends[2])
            for value in (low - 1, high + 1):
                with pytest.raises(ConfigError):
                    table.check(row.name, value)
            if row.name == "rate_hz":
                continue  # readings and sources bound it besides
            for value in (low, high):
                table.check(row.name, value)
    assert ranges >= 25


def test_node_page_has_every_setting_that_the_firmware_gives_a_default():
    page = node_toml.page()
    whole = check({"channels": [{}]})
    for name in (*whole, *whole["channels"][0]):
        assert f"| `{name}` |" in page
    assert sum(len(rows) for _, rows in node_toml.pages()) >= 90
