"""From a bare chip to alerts at a broker, over one port: flashed, asked, given the firmware, bridged.

The chip is the stand-in for an ESP32-C3 until its flash holds the image; then what runs on it is MicroPython itself, on
the emulated board with the same instruction set, whose console is carried over the same wire.
"""

import os
import tty
from array import array

import pytest

from kittiwake import cli, inject, survey
from kittiwake.errors import EXIT_OK
from kittiwake.ledger import LedgerProcess
from kittiwake.target import open_target
from tests.hil.test_end_to_end import CONFIG, DEVICE, read, wait
from tests.mosquitto import Mosquitto
from tests.support.esp_chip import EspChip
from tests.support.esp_images import image
from tests.support.processes import BridgeProcess
from tests.support.wire import Wire


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


@pytest.mark.soak
@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(600)
def test_from_nothing_to_alerts_at_a_broker_over_one_port(tmp_path, monkeypatch):
    content = image("esp32c3", code_bytes=400_000)
    (tmp_path / "ESP32_GENERIC_C3.bin").write_bytes(content)
    with open_target("qemu:virt", deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine._set_strap(run_main=True)
        console = os.open(machine.console_port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(console)
        with Wire(BootingChip(console, content)) as wire:
            for name, value in wire.environment.items():
                monkeypatch.setenv(name, value)
            assert survey.ask_port(wire.port).state == "silent"
            arguments = ["flash", "esp32-c3-devkitm-1", "--port", wire.port]
            assert cli.run([*arguments, "--image", str(tmp_path / "ESP32_GENERIC_C3.bin")]) == EXIT_OK
            assert survey.ask_port(wire.port).state == "micropython"
            with open_target(wire.port) as board:
                board.deploy_firmware()
                board.run_node(CONFIG)
                found = survey.ask_port(wire.port)
                assert (found.state, found.detail) == ("node", DEVICE)
                samples = inject.Injector(
                    array("h", [420 + number * 7 % 13 for number in range(200)] + [1120] + [420] * 99)
                )
                with (
                    Mosquitto(tmp_path) as broker,
                    LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
                    BridgeProcess(wire.port, broker.url),
                    inject.Wire(broker.url, DEVICE) as commands,
                ):
                    inject.feed(commands, samples)

                    def has_alert():
                        bodies = read(witness.path).records.values()
                        return any(body.get("anomaly") and body["value"] == 11.2 for body in bodies)

                    wait(board, has_alert, "no alert")
        os.close(console)
