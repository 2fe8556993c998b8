"""What connects a target to its emulator: the machine protocol, and lines that any program can open."""

import contextlib
import json
import os
import socket
import threading

import pytest
import serial

from kittiwake.errors import PortBusyError, PortLostError, TargetError
from kittiwake.target.line import Line
from kittiwake.target.qmp import Qmp


def _serve(answers):
    """A peer that greets, then answers each request with the next of `answers`; ends after the last."""
    ours, theirs = socket.socketpair()
    got = []

    def run():
        with theirs, theirs.makefile("rwb") as file:
            file.write(b'{"QMP": {}}\n')
            file.flush()
            for answer in [b'{"return": {}}\n', *answers]:
                got.append(json.loads(file.readline()))
                file.write(answer)
                file.flush()

    thread = threading.Thread(target=run)
    thread.start()
    return ours, got, thread


def test_qmp_events_between_are_skipped_and_arguments_spelled():
    ours, got, thread = _serve([b'{"event": "STOP"}\n{"return": 7}\n'])
    qmp = Qmp(ours, "it", 5.0)
    assert qmp.call("qom-set", device_id="x") == 7
    qmp.close()
    thread.join()
    assert got[-1] == {"execute": "qom-set", "arguments": {"device-id": "x"}}


def test_qmp_refusal_and_end_are_errors():
    ours, _, thread = _serve([b'{"error": {"desc": "no such thing"}}\n'])
    qmp = Qmp(ours, "it", 5.0)
    with pytest.raises(TargetError, match="it refused x: no such thing"):
        qmp.call("x")
    thread.join()
    with pytest.raises(TargetError, match="it has ended"):
        qmp.call("y")
    qmp.close()


def test_qmp_peer_that_says_nothing_is_an_error_in_time():
    ours, theirs = socket.socketpair()
    with theirs, ours, pytest.raises(TargetError, match="it does not answer"):
        Qmp(ours, "it", 0.05)


@pytest.fixture
def line():
    line = Line()
    yield line
    line.close()


def test_line_log_has_each_byte_once_whoever_reads(line, tmp_path):
    log = tmp_path / "line.log"
    for said in (b"first", b"second"):
        with line.attach(log) as board:
            line.take()
            board.sendall(said)
            assert line.read(5.0) == said
    line.detach()
    assert log.read_bytes() == b"firstsecond"


def test_line_taken_here_is_busy_for_others_and_free_after_release(line):
    with line.attach() as board:
        line.take()
        with pytest.raises(serial.SerialException):
            serial.Serial(line.port, exclusive=True)
        board.sendall(b"hello")
        assert line.read(5.0) == b"hello"
        line.write(b"question", 5.0)
        assert board.recv(100) == b"question"
        line.release()
        with serial.Serial(line.port, exclusive=True), pytest.raises(PortBusyError, match="in use by another program"):
            line.take()


def test_line_passes_bytes_through_its_port_both_ways(line):
    data = os.urandom(100000)
    with line.attach() as board, serial.Serial(line.port, timeout=10) as port:
        writer = threading.Thread(target=port.write, args=(data,))
        writer.start()
        got = b""
        while len(got) < len(data):
            got += board.recv(65536)
        writer.join()
        board.sendall(data)
        assert got == data and port.read(len(data)) == data


def test_line_port_stays_when_the_emulator_is_started_anew(line):
    first = line.attach()
    first.close()
    path = line.port
    with line.attach() as second, serial.Serial(path, timeout=10) as port:
        second.sendall(b"again")
        assert port.read(5) == b"again"


def test_line_reader_that_does_not_read_never_blocks_the_board(line):
    with line.attach() as board, serial.Serial(line.port, timeout=10):
        board.settimeout(10.0)
        board.sendall(b"x" * 5_000_000)  # far more than all buffers on the way
    assert line.dropped > 0


def test_line_without_an_emulator_is_lost(line):
    board = line.attach()
    line.take()
    board.sendall(b"last words")
    board.close()
    assert line.read(5.0) == b"last words"
    with pytest.raises(PortLostError, match="no board behind it"):
        line.read(5.0)


def test_line_what_a_program_wrote_before_it_closed_the_port_goes_before_what_is_written_here(line):
    # Regression: the two bytes that leave a prompt came behind the next command's first, and the board went deaf to it.
    board = line.attach()
    for _ in range(50):
        with serial.Serial(line.port, exclusive=True) as port:
            port.write(b"\r\x02")
        line.take().write(b"\x03", 5.0)
        line.release()
        got = b""
        while len(got) < 3:
            got += board.recv(64)
        assert got == b"\r\x02\x03"
    board.close()


def test_line_drop_loses_what_has_not_left_and_the_rest_is_waited_for(line):
    board = line.attach()
    board.setblocking(False)
    sent = bytes(64 * 1024)
    line.take()
    with pytest.raises(TargetError, match="takes no input"):
        line.write(sent, 0.1)
    line._to_board += b"late"
    line.drop()
    with pytest.raises(TargetError, match="takes no input"):
        line.wait_taken(0.1)
    got = b""
    with contextlib.suppress(BlockingIOError):
        while piece := board.recv(4096):
            got += piece
    line.wait_taken(5.0)
    assert 0 < len(got) < len(sent) and b"late" not in got
    board.close()
