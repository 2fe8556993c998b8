"""Ends the output with how many samples were held against the references."""

from tests.support import parity_tally


def pytest_terminal_summary(terminalreporter):
    for line in parity_tally.take_lines():
        terminalreporter.write_line(line)
