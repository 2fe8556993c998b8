"""Commands on the device: done once for ever, wherever the power is cut; settings taken whole or not at all."""

import binascii
import json
import struct

import pytest

from kittiwake_node.link import messages as m
from kittiwake_node.link import record as rec
from kittiwake_node.link.commands import Commands
from kittiwake_node.store.executed import KEPT, Executed
from tests.support.fake_fs import FakeFs
from tests.support.journals import open_journal


class PowerCut(Exception):
    pass


class Settings:
    def __init__(self, text=b"{}"):
        self.text = text

    def read(self, offset, limit_bytes):
        return len(self.text), self.text[offset : offset + limit_bytes]

    def replace(self, data):
        self.text = data
        return True


class Board:
    """Journal, executed commands and settings as the node joins them, on one medium."""

    def __init__(self, fs):
        self.fs = fs
        self.journal = open_journal(fs)
        self.settings = Settings()
        self.others = []
        self.commands = Commands(
            self.settings,
            Executed(fs, self.journal.next_seq, m.OK),
            lambda raw: "" if raw.startswith(b"{") else "no settings",
            self.log_event,
            lambda: self.journal.next_seq,
            self.other,
        )

    def log_event(self, body, now_ms):
        cls = rec.ALERT
        self.journal.append(cls, rec.draft(rec.EVENT, 0, cls, self.journal.state.boot, now_ms, 0, 1, body))
        return self.journal.commit(cls)

    def other(self, op, body, now_ms):
        self.others.append((op, body))
        return (m.OK, body) if op == m.OP_PING else (m.UNKNOWN, b"")

    def once(self, key, op, body=b""):
        return self.commands.handle(m.OP_ONCE, struct.pack("<QB", key, op) + body, 0)

    def events(self):
        raw, _ = self.journal.read(0, 100_000)
        out, at = [], 0
        while at < len(raw):
            record, at = rec.decode(raw, at)
            out.append(record.payload)
        return out


def test_command_once_is_done_once_and_answered_the_same_after_a_restart():
    board = Board(FakeFs())
    first = board.once(7, m.OP_EVENT, b"\x05\x00open")
    assert first == (m.OK, struct.pack("<I", 0))
    assert board.once(7, m.OP_EVENT, b"\x05\x00open") == first
    board = Board(board.fs.after_power_cut())
    assert board.once(7, m.OP_EVENT, b"\x05\x00open") == first
    assert board.events() == [b"\x05\x00open"]


class CutAt:
    """Cuts the power at one operation of the medium."""

    def __init__(self, number):
        self.left = number
        self.was_cut = False

    def __call__(self, operation, path):
        self.left -= 1
        if self.left == 0:
            self.was_cut = True
            raise PowerCut


@pytest.mark.parametrize("when", ["fail", "fail_late"])
def test_command_once_with_the_power_cut_at_every_write_is_done_exactly_once(when):
    for number in range(1, 100):
        fs = FakeFs()
        board = Board(fs)
        board.once(1, m.OP_EVENT, b"\x01\x00before")
        cut = CutAt(number)
        setattr(fs, when, cut)
        try:
            board.once(2, m.OP_EVENT, b"\x02\x00this")
        except PowerCut:
            pass
        board = Board(fs.after_power_cut())
        assert board.once(2, m.OP_EVENT, b"\x02\x00this")[0] == m.OK
        assert board.events() == [b"\x01\x00before", b"\x02\x00this"]
        assert board.once(1, m.OP_EVENT, b"\x01\x00before") == (m.OK, struct.pack("<I", 0))
        if not cut.was_cut:
            break
    assert number >= 4


def test_command_once_without_a_record_is_done_again_only_when_its_answer_was_not_kept():
    board = Board(FakeFs())
    assert board.once(3, m.OP_PING, b"abc") == (m.OK, b"abc")
    assert board.once(3, m.OP_PING, b"other") == (m.OK, b"abc")
    board = Board(board.fs.after_power_cut())
    assert board.once(3, m.OP_PING, b"abc") == (m.OK, b"abc")
    assert board.others == []


def test_command_once_keeps_the_last_32():
    board = Board(FakeFs())
    for key in range(KEPT + 1):
        board.once(key, m.OP_PING, b"%d" % key)
    board = Board(board.fs.after_power_cut())
    for key in range(1, KEPT + 1):
        assert board.once(key, m.OP_PING, b"again") == (m.OK, b"%d" % key)
    assert board.once(0, m.OP_PING, b"again") == (m.OK, b"again")


def test_command_once_on_a_failing_medium_is_refused_and_works_afterwards():
    board = Board(FakeFs())

    def fail(operation, path):
        raise OSError(5)

    board.fs.fail = fail
    assert board.once(1, m.OP_PING, b"a") == (m.REFUSED, b"the medium failed")
    board.fs.fail = lambda operation, path: None
    assert board.once(1, m.OP_PING, b"a") == (m.OK, b"a")


@pytest.mark.parametrize("damage", [lambda raw: raw[:-1], lambda raw: b"KWX\x02" + raw[4:], lambda raw: b""])
def test_executed_with_a_damaged_file_begins_anew(damage):
    board = Board(FakeFs())
    board.once(1, m.OP_PING, b"a")
    board.fs.files["executed.kwx"] = damage(board.fs.files["executed.kwx"])
    board = Board(board.fs)
    assert board.once(1, m.OP_PING, b"b") == (m.OK, b"b")


def test_command_once_of_once_is_refused():
    assert Board(FakeFs()).once(1, m.OP_ONCE, bytes(20))[0] == m.REFUSED


@pytest.mark.parametrize("op", [m.OP_ONCE, m.OP_EVENT, m.OP_CONFIG_GET, m.OP_CONFIG_PUT, m.OP_CONFIG_SAVE, 99])
def test_command_cut_short_or_unknown_is_answered_unknown(op):
    assert Board(FakeFs()).commands.handle(op, b"\x01", 0) == (m.UNKNOWN, b"")


def put(board, raw, piece=300):
    for offset in range(0, len(raw), piece):
        body = struct.pack("<H", offset) + raw[offset : offset + piece]
        status, answer = board.commands.handle(m.OP_CONFIG_PUT, body, 0)
        assert (status, answer) == (m.OK, struct.pack("<H", min(len(raw), offset + piece)))
        assert board.commands.handle(m.OP_CONFIG_PUT, body, 0)[0] == m.OK  # a repeat changes nothing


def save(board, raw):
    return board.commands.handle(m.OP_CONFIG_SAVE, struct.pack("<HI", len(raw), binascii.crc32(raw)), 0)


def test_settings_put_in_pieces_are_saved_and_read_back():
    board = Board(FakeFs())
    raw = json.dumps({"device": "x" * 2000}).encode()
    put(board, raw)
    assert save(board, raw)[0] == m.OK
    got = b""
    while True:
        status, answer = board.commands.handle(m.OP_CONFIG_GET, struct.pack("<H", len(got)), 0)
        assert status == m.OK and answer[:2] == struct.pack("<H", len(raw))
        if len(answer) == 2:
            break
        got += answer[2:]
    assert got == raw == board.settings.text


def test_settings_that_cannot_be_are_refused_and_the_old_stay():
    board = Board(FakeFs())
    put(board, b"nonsense")
    assert save(board, b"nonsense") == (m.REFUSED, b"no settings")
    assert save(board, b"something else") == (m.REFUSED, b"pieces are missing")
    assert board.commands.handle(m.OP_CONFIG_PUT, struct.pack("<H", 4000) + b"x", 0)[0] == m.REFUSED
    assert board.settings.text == b"{}"
