"""Console text of a device in the log: bounded, counted, and harmless to a terminal."""

import logging

from kittiwake.bridge.console import Console


def test_console_of_a_device_that_never_stops_stays_under_a_megabyte_an_hour_and_counts_the_rest(caplog):
    caplog.set_level(logging.INFO)
    now_s = [0.0]
    console = Console("/dev/ttyUSB0", lambda: now_s[0])
    for second in range(3600):
        now_s[0] = float(second)
        assert console.take(b"noise and more of it\n" * 20) == ["noise and more of it"] * 20
    logged = [line.getMessage() for line in caplog.records]
    text = [line for line in logged if line.endswith("noise and more of it")]
    assert 3600 < len(text) < 3600 * 20
    assert sum(len(line) + 40 for line in logged) < 1_000_000
    assert console.dropped == 3600 * 20 - len(text)
    assert any("lines are dropped" in line for line in logged)


def test_console_text_with_escape_sequences_is_shown_and_not_obeyed(caplog):
    caplog.set_level(logging.INFO)
    Console("p").take("\x1b[2J\x07ä\x9b1m \xff\n\n \n".encode("latin-1"))
    assert [line.getMessage() for line in caplog.records] == ["p: console: \\x1b[2J\\x07\\xe4\\x9b1m \\xff"]


def test_console_within_its_burst_is_logged_whole(caplog):
    caplog.set_level(logging.INFO)
    console = Console("p")
    console.take(b'Traceback (most recent call last):\r\n  File "main.py", line 1\r\nValueError: x\r\n')
    assert [line.getMessage() for line in caplog.records] == [
        "p: console: Traceback (most recent call last):",
        '  File "main.py", line 1'.join(["p: console: ", ""]),
        "p: console: ValueError: x",
    ]
    assert console.dropped == 0
