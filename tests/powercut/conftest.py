"""Prints what the power cuts found as the last line of the output."""

from tests.support import tally


def pytest_unconfigure(config):
    line = tally.line()
    if line:
        print(line)
