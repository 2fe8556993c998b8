"""From a bare chip to alerts at a broker over one port, by three commands: flash, deploy, bridge.

The chip is the stand-in for an ESP32-C3 until its flash holds the image; then what runs on it is MicroPython itself, on
the emulated board with the same instruction set, whose console is carried over the same wire. Each command is also
interrupted in its middle, and run again.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import tty
from array import array

import pytest

from kittiwake.cli import app
from kittiwake.clients import inject
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.errors import EXIT_OK
from kittiwake.ports import survey
from kittiwake.target import open_target
from tests.hil.test_end_to_end import read
from tests.mosquitto import Mosquitto
from tests.support.esp_chip import EspChip
from tests.support.esp_images import image
from tests.support.processes import BridgeProcess
from tests.support.waiting import until
from tests.support.wire import Wire

BOARD = "esp32-c3-devkitm-1"
DEVICE = "kw-new"
CONFIG = f"""
device = "{DEVICE}"
health_s = 1
commit_ms = 200
[[channels]]
name = "vibration"
scale = "1/100"
summary_samples = 100
source = {{kind = "link", room = 512}}
detectors = [{{kind = "zscore", n = 20, t = "5/2"}}]
"""
LIMIT_S = 60
# This process has the pty open, and so holds the port in the eyes of another.
COMMAND = (
    "import sys; from kittiwake.cli import app; from kittiwake.ports import serial; "
    "serial.holder = lambda path: ''; sys.exit(app.run())"
)


class BootingChip(EspChip):
    """An ESP32-C3 that starts what its flash holds, if that is the image.

    Args:
        console: descriptor of the emulated board's console.
        content: the image.
    """

    def __init__(self, console, content):
        super().__init__("esp32c3", greeting=b"")
        self.console = console
        self._content = content

    @property
    def _runs(self):
        return self.mode == "app" and self.flash[: len(self._content)] == self._content

    def feed(self, data, baudrate):
        if self.mode != "app":
            return super().feed(data, baudrate)
        if self._runs:
            os.write(self.console, data)
        return b""

    def say(self):
        said = os.read(self.console, 4096)
        return said if self._runs else b""


@contextlib.contextmanager
def new_board(tmp_path, monkeypatch, code_bytes=400_000):
    """A board that nothing was ever written to, on a wire; and the image for it."""
    content = image("esp32c3", code_bytes=code_bytes)
    path = tmp_path / "ESP32_GENERIC_C3.bin"
    path.write_bytes(content)
    (tmp_path / "node.toml").write_text(CONFIG)
    with open_target("qemu:virt", deploy=False) as machine:
        version = machine.facts()["implementation"].split()[1]
        machine.release_console()
        machine.set_strap(run_main=True)
        console = os.open(machine.console_port, os.O_RDWR | os.O_NOCTTY)
        try:
            tty.setraw(console)
            with Wire(BootingChip(console, content)) as wire:
                for name, value in wire.environment.items():
                    monkeypatch.setenv(name, value)
                wire.micropython = version
                assert survey.ask_port(wire.port).state == "silent"
                yield wire, path
        finally:
            os.close(console)


def wait_for_alert(port, broker, tmp_path):
    """Bridge the port, feed a peak, and wait until its alert is at the broker."""
    samples = inject.StimulusSender(array("h", [420 + number * 7 % 13 for number in range(200)] + [1120] + [420] * 99))
    with (
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        BridgeProcess(port, broker.url),
        inject.CommandClient(broker.url, DEVICE) as commands,
    ):
        inject.send_all(commands, samples)

        def has_alert():
            bodies = read(witness.path).records.values()
            return any(body.get("anomaly") and body["value"] == 11.2 for body in bodies)

        until(has_alert, "an alert", LIMIT_S, 0.05)


@pytest.mark.soak
@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(600)
def test_from_nothing_to_alerts_at_a_broker_by_three_commands_over_one_port(tmp_path, monkeypatch, capfd):
    with new_board(tmp_path, monkeypatch) as (wire, path), Mosquitto(tmp_path) as broker:
        seconds, said = {}, {}

        def run(verb, call):
            capfd.readouterr()
            begun = time.monotonic()
            assert call() in (None, EXIT_OK)
            seconds[verb] = time.monotonic() - begun
            said[verb] = capfd.readouterr().err

        run("flash", lambda: app.run(["flash", BOARD, "--port", wire.port, "--image", str(path)]))
        assert survey.ask_port(wire.port).state == "micropython"
        run("deploy", lambda: app.run(["deploy", BOARD, "--port", wire.port, "-c", str(tmp_path / "node.toml")]))
        found = survey.ask_port(wire.port)
        assert (found.state, found.detail) == ("node", DEVICE)
        run("bridge", lambda: wait_for_alert(wire.port, broker, tmp_path))
    print(", ".join(f"{verb} {took:.1f} s" for verb, took in seconds.items()))
    assert "writing 100 %" in said["flash"] and re.search(r"file \d+ of \d+", said["deploy"])
    assert max(seconds.values()) < LIMIT_S


@pytest.mark.soak
@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(600)
def test_from_nothing_each_command_interrupted_is_run_again(tmp_path, monkeypatch):
    with new_board(tmp_path, monkeypatch) as (wire, path), Mosquitto(tmp_path) as broker:

        def interrupt(at, *arguments):
            command = [sys.executable, "-c", COMMAND, *arguments, "--port", wire.port]
            process = subprocess.Popen(
                command,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            heard = []
            for line in process.stderr:
                heard.append(line)
                if re.search(at, line):
                    process.send_signal(signal.SIGINT)
                    break
            rest = process.communicate(timeout=60)[1]
            assert process.returncode in (0, 130), "".join(heard) + rest
            return process.returncode, rest

        flash = ["flash", BOARD, "--image", str(path)]
        code, told = interrupt("writing [3-9]. %", *flash)
        assert code == 130 and "no whole MicroPython now" in told and "run the same command again" in told
        assert app.run([*flash, "--port", wire.port]) == EXIT_OK

        deploy = ["deploy", BOARD, "-c", str(tmp_path / "node.toml")]
        code, told = interrupt(r"file 60 of \d+", *deploy)
        assert code == 130 and "the board has no application yet" in told and "run the same command again" in told
        assert app.run([*deploy, "--port", wire.port]) == EXIT_OK

        assert interrupt("^bridging /dev/", "bridge", "--broker", broker.url)[0] == 0
        wait_for_alert(wire.port, broker, tmp_path)
