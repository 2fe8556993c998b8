"""What is on a port, asked politely: a node, a prompt, silence, a port in use; nothing is reset or taken over."""

import json
import os
import pty
import subprocess
import sys
import threading
import tty

import pytest

from kittiwake.cli import app
from kittiwake.ports import serial, survey
from kittiwake.target import open_target
from kittiwake_node.link.device_session import DeviceSession
from tests.support.sessions import ListJournal


class OnPty:
    """Something that answers on a pty: `answer(bytes) -> bytes`."""

    def __init__(self, answer):
        self._answer = answer
        self.heard = b""

    def __enter__(self):
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.close(self._slave)
        self._thread.join(60)
        os.close(self._master)

    def _run(self):
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return  # the last slave was closed
            self.heard += data
            os.write(self._master, self._answer(data))


BANNER = b'\r\nMicroPython v1.29.0 on 2026-01-02; Generic ESP32 module with ESP32\r\nType "help()" for more.\r\n>>> '


def prompt(data):
    return b"".join({b"\r": b"\r\n>>> ", b"\x02": BANNER}.get(bytes([byte]), b"") for byte in data)


def test_survey_a_prompt_is_asked_for_its_banner_and_nothing_else():
    with OnPty(prompt) as board:
        found = survey.ask_port(board.path, ("esp32-s3-devkitc-1", "esp32-devkitc"))
    assert (found.state, found.detail) == ("micropython", "v1.29.0, Generic ESP32 module with ESP32")
    assert found.boards == ("esp32-devkitc",)
    # No Ctrl-C, Ctrl-D, Ctrl-A or Ctrl-E: what runs goes on, and nothing restarts.
    assert board.heard == b"\r\n\x02"


def test_survey_a_prompt_in_raw_mode_is_found():
    # Regression: a board that an ended mpremote had left there passed for silent.
    with OnPty(lambda data: BANNER if data.endswith(b"\x02") else b"") as board:
        assert survey.ask_port(board.path).state == "micropython"


def test_survey_a_node_says_who_it_is_and_keeps_its_session():
    session = DeviceSession("pump-7", 1, ListJournal(), lambda op, body, now: (0, b""))
    session.next_output(0)  # what it announced at its start is long gone

    def answer(data):
        session.feed(data, 1000)
        return session.next_output(1000) or b""

    with OnPty(answer) as board:
        found = survey.ask_port(board.path)
    assert (found.state, found.detail) == ("node", "pump-7")
    assert not session.is_open


def test_survey_what_does_not_answer_is_given_no_order_and_left_at_a_friendly_prompt():
    with OnPty(lambda data: b"") as board:
        found = survey.ask_port(board.path, ("nucleo-f446re",))
    assert found.state == "silent" and found.boards == ("nucleo-f446re",)
    assert not set(board.heard[:-1]) & {2, 3, 4, 5}
    assert board.heard.endswith(b"\x02")


def test_survey_a_port_in_use_is_named_and_not_read():
    held = "import os, sys, time\nos.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)\nprint(flush=True)\ntime.sleep(600)\n"
    with OnPty(prompt) as board:
        other = subprocess.Popen([sys.executable, "-c", held, board.path], stdout=subprocess.PIPE)
        other.stdout.readline()
        found = survey.ask_port(board.path)
        other.kill()
        other.communicate(timeout=60)
    assert found.state == "busy" and f"(process {other.pid})" in found.detail
    assert board.heard == b""


def test_survey_a_port_that_is_not_there_says_so():
    found = survey.ask_port("/dev/ttyUSB77")
    assert found.state == "closed" and "is not there" in found.detail


def test_survey_unasked_ports_are_not_opened(monkeypatch):
    monkeypatch.setattr(survey, "_Line", None)
    listed = [
        serial.PortInfo("/dev/ttyUSB0", "A1", "CP2102N", "Silicon Labs", 0x10C4, 0xEA60),
        serial.PortInfo("/dev/ttyS0", None, None, None, None, None),
    ]
    usb, plain = survey.survey(listed, ask=False)
    assert usb.state == plain.state == "unasked" and "esp32-devkitc" in usb.boards and plain.boards == ()
    assert survey.survey(listed[1:])[0].state == "unasked"


def test_survey_greetings_hold_no_order_for_a_prompt():
    for _ in range(200):
        greeting = survey._greeting()
        assert not set(greeting) & {2, 3, 4, 5, 6}


@pytest.mark.timeout(300)
def test_ports_command_finds_a_running_node_and_it_goes_on(capsys):
    config = {"device": "kw-ports", "channels": [{"source": {"kind": "link", "room": 64}}]}
    with open_target("unix") as board:
        board.run_node(config)
        for _ in range(2):  # asked twice: the first took nothing away
            for _attempt in range(20):  # it may be starting
                assert app.run(["ports", board.link_port, "--json"]) == 0
                (row,) = json.loads(capsys.readouterr().out)["ports"]
                if row["state"] == "node":
                    break
            assert (row["state"], row["detail"]) == ("node", "kw-ports")
