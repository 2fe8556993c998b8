"""The closing lines of make test-micropython: figures for each board, as its page has them."""

from collections import Counter

from tests.support.hil import SOAK

_WORDS = {"passed": "passed", "skipped": "skipped", "xfailed": "failed as explained", "failed": "failed unexplained"}


def pytest_terminal_summary(terminalreporter):
    if not SOAK:
        return
    counts = {}
    for outcome in _WORDS:
        for report in terminalreporter.stats.get(outcome, []):
            board = dict(report.user_properties).get("board")
            if board is not None and "test_script_of_micropython" in report.nodeid:
                counts.setdefault(board, Counter())[outcome] += 1
    for board, tally in counts.items():
        figures = ", ".join(f"{tally[outcome]} {word}" for outcome, word in _WORDS.items())
        terminalreporter.write_line(f"MicroPython's tests on {board}: {figures} (docs/reference/micropython-tests.md)")
