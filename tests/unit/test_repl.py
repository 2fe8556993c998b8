"""The raw REPL against boards that are scripted: slow ones, old ones, and ones that break off or say nothing."""

import contextlib

import pytest

from kittiwake.errors import TargetError
from kittiwake.target.repl import Repl

_BANNER = b"raw REPL; CTRL-B to exit\r\n>"


class FakeBoard:
    """Answers each piece of input by the first rule whose key it contains; gives its answers in pieces of one size.

    Args:
        rules: (part of the input, answer) in order; a rule serves once.
        size: bytes of each read.
    """

    def __init__(self, rules, size=1000):
        self.rules = list(rules)
        self.size = size
        self.got = b""
        self._out = b""

    def write(self, data, timeout_s):
        self.got += data
        for i, (part, answer) in enumerate(self.rules):
            if part in data:
                self._out += answer
                del self.rules[i]
                return

    def read(self, timeout_s):
        data, self._out = self._out[: self.size], self._out[self.size :]
        return data


def _entered(*rules, size=1000):
    board = FakeBoard([(b"\x01", b"junk >>> \r\n" + _BANNER), *rules], size)
    repl = Repl(board, "it")
    repl.enter(1.0)
    return repl, board


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_repl_paste_is_written_within_the_window(size):
    repl, board = _entered(
        (b"\x05A\x01", b"R\x01\x08\x00"),
        (b"print(12", b"\x01"),
        (b"3456)", b""),
        (b"\x04", b"\x04" + b"123\r\n456\r\n" + b"\x04\x04>"),
        size=size,
    )
    assert repl.exec("print(123456)", 1.0) == "123\n456\n"
    assert board.got.endswith(b"\x05A\x01print(123456)\x04")


def test_repl_board_without_paste_is_given_the_code_plainly():
    repl, board = _entered(
        (b"\x05A\x01", b"R\x00"), (b"print(1)\x04", b"OK1\r\n\x04\x04>"), (b"print(2)\x04", b"OK2\r\n\x04\x04>")
    )
    assert repl.exec("print(1)", 1.0) == "1\n"
    assert repl.exec("print(2)", 1.0) == "2\n"
    assert board.got.count(b"\x05A\x01") == 1


def test_repl_old_board_that_prints_its_banner_again_is_given_the_code_plainly():
    repl, _ = _entered((b"\x05A\x01", b"r" + _BANNER[1:]), (b"print(1)\x04", b"OK1\r\n\x04\x04>"))
    assert repl.exec("print(1)", 1.0) == "1\n"


def test_repl_traceback_is_carried_by_the_error():
    trace = b"Traceback (most recent call last):\r\n  File x\r\nValueError: bad\r\n"
    repl, _ = _entered((b"\x05A\x01", b"R\x01\x80\x00"), (b"\x04", b"\x04before\r\n\x04" + trace + b"\x04>"))
    with pytest.raises(TargetError, match="code failed on it: ValueError: bad") as caught:
        repl.exec("boom", 1.0)
    assert caught.value.traceback.startswith("Traceback") and "\r" not in caught.value.traceback


def test_repl_board_that_breaks_off_a_paste_tells_why():
    repl, _ = _entered((b"\x05A\x01", b"R\x01\x04\x00"), (b"aaaa", b"\x04"), (b"\x04", b"\x04MemoryError: \r\n\x04>"))
    with pytest.raises(TargetError, match="MemoryError"):
        repl.exec("aaaabbbb", 1.0)


@pytest.mark.parametrize("kept", range(12))
def test_repl_answer_cut_off_anywhere_is_an_error_in_time(kept):
    answer = b"\x04hello\r\n\x04\x04>"
    repl, _ = _entered((b"\x05A\x01", b"R\x01\x80\x00"), (b"\x04", answer[:kept]))
    if kept >= len(answer):
        assert repl.exec("x", 0.05) == "hello\n"
        return
    with pytest.raises(TargetError, match="it does not answer within 0.05 s"):
        repl.exec("x", 0.05)


def test_repl_silent_board_gives_no_prompt_and_its_last_words():
    board = FakeBoard([(b"\x01", b"panic: out of luck\r\n")])
    with pytest.raises(TargetError, match="it gives no prompt within 0.05 s") as caught:
        Repl(board, "it").enter(0.05)
    assert caught.value.traceback == "panic: out of luck"


def test_repl_after_a_failure_the_prompt_is_asked_for_again():
    repl, board = _entered((b"\x05A\x01", b"R\x01\x80\x00"), (b"\x04", b""))
    with pytest.raises(TargetError):
        repl.exec("x", 0.05)
    board.rules = [(b"\x01", _BANNER), (b"\x05A\x01", b"R\x01\x80\x00"), (b"\x04", b"\x04ok\r\n\x04\x04>")]
    assert repl.exec("y", 1.0) == "ok\n"


def test_repl_restart_returns_when_the_board_begins_anew():
    repl, board = _entered((b"\x02\x04", b">>> MPY: soft reboot\r\nhello\r\n"))
    repl.restart(1.0)
    assert board.got.endswith(b"\r\x02\x04") and not repl.is_raw


def test_repl_settles_though_answers_to_what_came_before_are_under_way():
    # The first banner answers somebody else's Ctrl-A, and the paste that follows falls into his.
    board = FakeBoard(
        [
            (b"\x01", b"=== x\r\n" + _BANNER),
            (b"\x05A\x01", b"R\x00OK" + _BANNER),
            (b"print(0)", b"stale\r\n\x04\x04>"),
            (b"\x01", _BANNER),
            (b"\x05A\x01", b"R\x01\x80\x00"),
            (b"print(1)", b""),
            (b"\x04", b"\x041\r\n\x04\x04>"),
        ]
    )
    repl = Repl(board, "it")
    repl.settle(20.0)
    assert b"print(1)" in board.got and repl.is_raw


def test_repl_that_never_does_as_told_does_not_settle():
    board = FakeBoard([(b"\x01", _BANNER), (b"\x05A\x01", b"R\x00"), (b"print(", b"OKx\r\n\x04\x04>")] * 1)
    with pytest.raises(TargetError, match="it gives no prompt"):
        Repl(board, "it").settle(0.2)


@pytest.mark.parametrize("size", [1, 1000])
def test_repl_source_that_is_worth_it_is_read_beside_the_line(size):
    source = "print(7)\n" + "#" * 300
    left = []

    @contextlib.contextmanager
    def beside(data):
        left.append(data)
        yield b"\x10"
        left.append("removed")

    repl, board = _entered(
        (b"\x10", b"R\x01\x04\x00" + 3 * b"\x01" + b"\x04" + b"7\r\n\x04\x04>"),
        (b"\x05A\x01", b"R\x01\x20\x00"),
        (b"\x04", b"\x048\r\n\x04\x04>"),
        size=size,
    )
    repl.beside = beside
    assert repl.exec(source, 1.0) == "7\n"
    assert left == [b"\x05A\x01" + source.encode() + b"\x04", "removed"] and source.encode() not in board.got
    assert repl.exec("print(8)", 1.0) == "8\n" and len(left) == 2
