"""Ends the output with how many samples and networks were held against the references."""

from tests.support import network_tally, parity_tally


def pytest_terminal_summary(terminalreporter):
    for line in parity_tally.take_lines() + network_tally.take_lines():
        terminalreporter.write_line(line)
