"""The log: what peers cause is bounded by the hour and by the line, and harmless to a terminal."""

import io
import logging

from kittiwake.observe import logs
from kittiwake.observe.logs import BURST_LINES, KEPT_LINES, LINE_EVERY_S, LINE_LIMIT, LineLimit
from kittiwake.peers.complaints import Complaints


def logged(name, now_s):
    """A logger, and the text that gets through its limit."""
    text, limit = io.StringIO(), LineLimit(lambda: now_s[0])
    handler = logging.StreamHandler(text)
    handler.addFilter(limit)
    logger = logging.Logger(name)
    logger.addHandler(handler)
    return logger, text, limit


def test_log_of_a_device_that_opens_sessions_for_ever_is_small_and_counts_what_is_missing():
    now_s = [0.0]
    log, text, limit = logged("hour", now_s)
    for number in range(36000):
        now_s[0] = number / 10
        log.info("%s: device %s", "/dev/ttyUSB0", number)
    lines = text.getvalue().splitlines()
    assert BURST_LINES < len(lines) <= BURST_LINES + 3600 / LINE_EVERY_S + 1
    assert limit.dropped == 36000 - len(lines)
    assert lines[-1].endswith(" more of the kind before)")


def test_log_of_one_port_and_of_one_kind_uses_up_no_other():
    log, text, limit = logged("ports", [0.0])
    for _ in range(1000):
        log.info("%s: device %s", "port1", "a")
    log.info("%s: device %s", "port2", "b")
    log.info("%s: %s", "port1", "lost")
    assert text.getvalue().splitlines()[-2:] == ["port2: device b", "port1: lost"]
    assert limit.dropped == 1000 - BURST_LINES


def test_log_of_what_a_sender_of_commands_wrote_is_cut_and_shown_and_not_obeyed():
    log, text, _ = logged("text", [0.0])
    log.info("command %s", "\x1b[2J\nINFO all is well \ud800 \u202e é")
    log.info("command %s", "x" * 100_000)
    first, second = text.getvalue().splitlines()
    assert first == "command \\x1b[2J\\nINFO all is well \\ud800 \\u202e é"
    assert len(second) == LINE_LIMIT + 1


def test_log_of_complaints_is_limited_by_themselves_alone():
    now_s = [0.0]
    log, text, limit = logged("complaints", now_s)
    for _ in range(2 * BURST_LINES):
        Complaints(log).tell("wrong")
    assert len(text.getvalue().splitlines()) == 2 * BURST_LINES and limit.dropped == 0


def test_log_keeps_its_newest_lines_as_they_were_written_and_none_that_was_dropped(monkeypatch, capsys):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.set_up("text", "info")
    for number in range(KEPT_LINES + 5):
        root.info(f"of its own kind {number}")
    root.debug("below the level")
    assert [line["text"] for line in logs.kept()] == [f"of its own kind {number + 5}" for number in range(KEPT_LINES)]
    for number in range(2 * BURST_LINES):
        root.warning("\x1b of one kind %d", number)
    assert [line["text"] for line in logs.kept(1)] == [f"\\x1b of one kind {BURST_LINES - 1}"]
    assert logs.kept(1)[0]["level"] == "warning" and logs.kept(0) == []
    assert len(capsys.readouterr().err.splitlines()) == KEPT_LINES + 5 + BURST_LINES
