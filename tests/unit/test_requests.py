"""Requests of a board in what it prints: taken out wherever the output is cut, answered once, the rest left alone."""

import pytest

from kittiwake.target.requests import AnsweringStream, Requests

MARK = "\x1e0123 "
OUTPUT = b"one\r\ntwo\x1e0123 ask 1\r\n\x1e0123 ask 2\nthree \x1e01 \x1e\x04>"
LEFT = b"one\r\ntwothree \x1e01 \x1e\x04>"
ANSWERS = [b"[ask 1]\n", b"[ask 2]\n"]


def taken(pieces):
    answers = []
    requests = Requests(MARK, lambda request: b"[" + request + b"]")
    return b"".join(requests.take(piece, answers.append) for piece in pieces), answers


@pytest.mark.parametrize("at", range(len(OUTPUT) + 1))
def test_requests_are_taken_out_wherever_the_output_is_cut(at):
    assert taken([OUTPUT[:at], OUTPUT[at:]]) == (LEFT, ANSWERS)


def test_requests_are_taken_out_byte_by_byte():
    assert taken([OUTPUT[at : at + 1] for at in range(len(OUTPUT))]) == (LEFT, ANSWERS)


class Line:
    def __init__(self):
        self.written = []

    def read(self, timeout_s):
        return OUTPUT

    def write(self, data, timeout_s):
        self.written.append(data)


class Owner:
    requests = None


def test_stream_answers_only_while_somebody_does():
    line, owner = Line(), Owner()
    stream = AnsweringStream(line, owner)
    assert stream.read(1) == OUTPUT and line.written == []
    owner.requests = Requests(MARK, lambda request: b"[" + request + b"]")
    assert stream.read(1) == LEFT and line.written == ANSWERS
