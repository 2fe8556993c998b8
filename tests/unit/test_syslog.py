"""Security events: RFC 5424's bytes, derived by hand; what is kept on the disk, and what makes room there."""

import logging
import os

import pytest

import kittiwake
from kittiwake.config import load
from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.observe.events import event
from kittiwake.observe.forwarding import Forwarder
from kittiwake.observe.kept_events import KeptEvents
from kittiwake.observe.settings import SyslogSection
from kittiwake.observe.syslog import SecurityEvent, frame
from tests.support.free_ports import free_port
from tests.support.waiting import until

REFUSED = SecurityEvent(1_767_323_045_000_001, logging.WARNING, "login.refused", "broker says: no «é»")


def test_frame_is_that_of_the_rfcs():
    text = (
        "<84>1 2026-01-02T03:04:05.000001Z gate_way kittiwake-bridge 17 login.refused"
        f' [origin software="kittiwake" swVersion="{kittiwake.__version__}"][meta sequenceId="3"]'
        " \ufeffbroker says: no «é»"
    ).encode()
    assert frame(REFUSED, 3, "gate way", "kittiwake-bridge", 17) == str(len(text)).encode() + b" " + text


@pytest.mark.parametrize(
    ("level", "priority"), [(logging.ERROR, 83), (logging.WARNING, 84), (logging.INFO, 85), (logging.DEBUG, 86)]
)
def test_severity_is_that_of_the_level(level, priority):
    content = frame(SecurityEvent(0, level, "a", "b"), 1, "h", "a", 1).partition(b" ")[2]
    assert content.startswith(f"<{priority}>1 1970-01-01T00:00:00.000000Z h a 1 a ".encode())


def test_number_of_an_event_stays_within_what_the_rfc_allows():
    assert b'sequenceId="2147483647"' in frame(REFUSED, 2147483647, "h", "a", 1)
    assert b'sequenceId="1"' in frame(REFUSED, 2147483648, "h", "a", 1)


def events(*texts):
    return [SecurityEvent(0, logging.INFO, "command.answered", text) for text in texts]


def test_kept_events_go_on_counting_after_a_restart_and_are_nobody_elses_to_read(tmp_path):
    path = tmp_path / "events.sqlite"
    kept = KeptEvents(path, 100)
    kept.add(events("a", "b"))
    assert [(number, each.text) for number, each in kept.oldest(5)] == [(1, "a"), (2, "b")]
    kept.forget(2)
    kept.close()
    again = KeptEvents(path, 100)
    again.add(events("c"))
    assert [(number, each.text) for number, each in again.oldest(5)] == [(3, "c")]
    assert path.stat().st_mode & 0o077 == 0
    again.close()


def test_kept_events_that_have_no_room_are_the_oldest_and_are_counted(tmp_path):
    kept = KeptEvents(tmp_path / "events.sqlite", 3)
    kept.add(events(*"abcde"))
    assert "".join(each.text for _, each in kept.oldest(9)) == "cde"
    assert (kept.take_lost(), kept.take_lost()) == (2, 0)
    kept.close()


def test_forwarder_keeps_what_is_of_security_and_nothing_else(tmp_path):
    section = SyslogSection(server=f"127.0.0.1:{free_port()}", folder=str(tmp_path))
    log = logging.Logger("test")
    forwarder = Forwarder(section, "bridge")
    log.addHandler(forwarder)
    forwarder.start()
    log.warning("lost", extra=event("broker.lost"))
    log.warning("words")
    log.warning("refused: %s", "x", extra=event("login.refused"))
    until(lambda: forwarder.problem, "a receiver that is away")
    forwarder.close()
    kept = KeptEvents(tmp_path / "bridge.events.sqlite", 100)
    assert [(each.name, each.text) for _, each in kept.oldest(9)] == [("login.refused", "refused: x")]
    kept.close()


def test_forwarder_whose_folder_is_not_there_says_so(tmp_path):
    with pytest.raises(KittiwakeError, match="cannot be opened"):
        Forwarder(SyslogSection(server="h:1", folder=str(tmp_path / "none")), "bridge")
    assert not os.path.exists(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('server = "log.example:6514"', "folder to wait in"),
        ('server = "log.example"\nfolder = "/x"', "right form"),
        ('server = "log.example:65536"\nfolder = "/x"', "at most 65535"),
        ('certificate_file = "a"', "go together"),
    ],
)
def test_settings_that_cannot_be_are_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        load.parse(text, SyslogSection, {}, "x")
