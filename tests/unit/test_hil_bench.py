"""The bench of boards: its file, its locks between processes, its power switches, instruments and tunnels."""

import json
import os
import signal
import subprocess
import sys

import pytest

from kittiwake.cli import app
from kittiwake.errors import (
    EXIT_OK,
    EXIT_PORT_BUSY,
    EXIT_USAGE,
    ConfigError,
    KittiwakeError,
    NoDeviceError,
    PortBusyError,
    UsageError,
)
from kittiwake.hil import Board, bench, locks, opening
from kittiwake.hil.instruments import CommandInstrument
from kittiwake.hil.needs import Needs
from kittiwake.hil.tunnel import Tunnel
from kittiwake.target import port
from kittiwake.target.power import CommandSwitch
from kittiwake.target.serial_stream import SerialStream
from tests.support.waiting import until

BENCH = """
[[boards]]
name = "one"
target = "id:A1"
has = ["lis3dh", "loop"]
pins = {button = 4, led = "D13"}
micropython = {version = "1.28.0", board = "esp32-devkitc", image = "images/esp32.bin"}
power = {off = ["relay", "0"], on = ["relay", "1"]}

[[boards]]
name = "two"
target = "id:B2"
has = ["loop"]
tunnel = ["ssh", "lab", "socat", "-", "/dev/ttyACM0,raw"]

[boards.instruments.heater]
set = ["heat", "{value}"]
"""


@pytest.fixture(autouse=True)
def locks_of_this_test(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "folder", lambda: tmp_path)


@pytest.fixture
def desk(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text(BENCH)
    return bench.read(path)


def test_bench_says_what_stands_on_it(desk, tmp_path):
    one, two = desk.boards
    assert (one.target, one.power.off, two.tunnel[0]) == ("id:A1", ["relay", "0"], "ssh")
    assert one.micropython.image == str(tmp_path / "images/esp32.bin")
    assert one.pins == {"button": 4, "led": "D13"}
    assert two.instruments["heater"].set == ["heat", "{value}"]
    assert [board.name for board in desk.with_all(["loop"])] == ["one", "two"]
    assert [board.name for board in desk.with_all(["loop", "lis3dh"])] == ["one"]
    assert [board.name for board in desk.with_all(["led"])] == ["one"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[boards]]\nname = "a"\n', "boards[0].target: is missing"),
        ('[[boards]]\nname = "A b"\ntarget = "unix"\n', "line 2: boards[0].name: does not have the right form"),
        (
            '[[boards]]\nname = "a"\ntarget = "unix"\nhass = []\n',
            "line 4: boards[0].hass: no such setting; did you mean has",
        ),
        ('[[boards]]\nname = "a"\ntarget = "unix"\npower = {off = ["x"]}\n', "boards[0].power.on: is missing"),
        (
            '[[boards]]\nname = "a"\ntarget = "unix"\nmicropython = {version = "1.28.0", board = "b", image = "c"}\n',
            "micropython is flashed at a port of this machine",
        ),
        (
            '[[boards]]\nname = "a"\ntarget = "id:1"\nmicropython = {version = "v1.28", board = "b", image = "c"}\n',
            "boards[0].micropython.version: does not have the right form",
        ),
        (2 * '[[boards]]\nname = "a"\ntarget = "unix"\n', "two boards are called a"),
        ('[[boards]]\nname = "a"\ntarget = "unix"\n[boards.instruments.x]\n', "needs commands, or a device"),
        ('[[boards]]\nname = "a"\ntarget = "unix"\n[boards.instruments.x]\ndevice = "/m"\n', "needs both"),
    ],
)
def test_bench_that_cannot_be_is_refused_with_its_line(tmp_path, text, told):
    path = tmp_path / "bench.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refusal:
        bench.read(path)
    assert told in str(refusal.value)


def test_bench_names_boards_targets_and_whichever_is_free(desk):
    assert [board.name for board in opening.find("two", desk)] == ["two"]
    assert [board.name for board in opening.find("any", desk)] == ["one", "two"]
    assert [board.name for board in opening.find("any:lis3dh+loop", desk)] == ["one"]
    assert [board.target for board in opening.find("unix", desk)] == ["unix"]
    with pytest.raises(UsageError, match="no board of the bench has tmp105"):
        opening.find("any:tmp105", desk)
    with pytest.raises(UsageError, match="no target is called 'three'; the bench has one, two"):
        opening.find("three", desk)


def test_lock_is_of_the_board_however_it_is_called_and_says_who_has_it():
    with locks.Lock("id:A1", "one"):
        other = locks.Lock("id:A1", "mine")
        assert not other.try_take()
        assert other.holder()["pid"] == os.getpid()
        with pytest.raises(PortBusyError, match=f"mine is held by process {os.getpid()} .* since 20"):
            other.take(0.2)
        assert locks.Lock("id:B2", "two").try_take()
    assert other.holder() is None
    other.take()
    other.release()


HOLD = """
import sys, time
from pathlib import Path
from kittiwake.hil import locks
locks.folder = lambda: Path(sys.argv[1])
with locks.Lock("id:A1", "one"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_lock_of_a_process_that_is_killed_is_free(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    lock = locks.Lock("id:A1", "one")
    assert lock.holder()["pid"] == process.pid and not lock.try_take()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert lock.holder() is None
    assert lock.try_take()
    lock.release()
    assert list(tmp_path.glob("*.json")) == []


def test_any_takes_the_first_board_that_is_free(desk, monkeypatch):
    monkeypatch.setattr(opening, "available", lambda name: None)
    first = opening.locked("any:loop", desk)
    second = opening.locked("any:loop", desk)
    assert (first.name, second.name) == ("one", "two")
    with pytest.raises(PortBusyError, match="no board that is any:loop is free"):
        opening.locked("any:loop", desk)
    first.lock.release()
    assert opening.locked("any:loop", desk).name == "one"


def test_emulated_board_has_no_lock(desk):
    with pytest.raises(UsageError, match="no board that others could take"):
        opening.locked("unix", desk)


def test_hil_list_and_lock_tell_who_has_a_board(tmp_path, capfd, desk):
    path = ["--bench", str(tmp_path / "bench.toml")]
    ask = [sys.executable, "-c", "import sys; sys.exit(7)"]
    assert app.run(["hil", "lock", "one", *path, "--", *ask]) == 7
    assert "one is yours" in capfd.readouterr().err
    with locks.Lock("id:A1", "one"):
        assert app.run(["hil", "lock", "one", *path, "--", "true"]) == EXIT_PORT_BUSY
        assert f"held by process {os.getpid()}" in capfd.readouterr().err
        assert app.run(["hil", "list", "--json", *path]) == EXIT_OK
        one, two = json.loads(capfd.readouterr().out)["boards"]
        assert (one["state"], two["state"]) == ("held", "free") and f"process {os.getpid()}" in one["detail"]
    assert app.run(["hil", "list", *path]) == EXIT_OK
    assert "lis3dh loop" in capfd.readouterr().out
    assert app.run(["hil", "list", "--bench", str(tmp_path / "none.toml")]) == EXIT_USAGE


def test_power_switch_runs_its_commands_and_tells_why_one_failed(tmp_path):
    log = tmp_path / "log"
    switch = CommandSwitch(["sh", "-c", f"echo off >> {log}"], ["sh", "-c", f"echo on >> {log}"])
    switch.off()
    switch.on()
    assert log.read_text() == "off\non\n"
    with pytest.raises(KittiwakeError, match="sh failed with status 3: no such port; mend the bench's command"):
        CommandSwitch(["sh", "-c", "echo no such port >&2; exit 3"], ["true"]).off()
    with pytest.raises(KittiwakeError, match="no-such-tool does not run"):
        CommandSwitch(["no-such-tool"], ["true"]).off()
    with pytest.raises(KittiwakeError, match="sleep did not end within 0.1 s"):
        CommandSwitch(["sleep", "9"], ["true"], timeout_s=0.1).off()


def test_instrument_is_worked_by_commands(tmp_path):
    value = tmp_path / "value"
    heater = CommandInstrument(["sh", "-c", f"echo {{value}} > {value}"], ["cat", str(value)])
    heater.set(21.5)
    assert heater.read() == "21.5"
    with pytest.raises(UsageError, match="only reads"):
        CommandInstrument(read=["true"]).set(1)
    with pytest.raises(UsageError, match="only sets"):
        CommandInstrument(set=["true"]).read()


class FakeSwitch:
    def __init__(self):
        self.calls = []

    def off(self):
        self.calls.append("off")

    def on(self):
        self.calls.append("on")


class FakeTarget:
    """A board that does not heed a reset, but has power again after a cut."""

    name, can_cut_power, counts_instructions = "fake", True, False

    def __init__(self, switch):
        self.switch = switch

    def reboot(self):
        raise KittiwakeError("it hangs")

    def cut_power(self):
        self.switch.off()

    def start(self):
        self.switch.on()


def test_reset_of_a_board_that_hangs_goes_by_its_power():
    switch = FakeSwitch()
    Board(FakeTarget(switch)).reset()
    assert switch.calls == ["off", "on"]


def test_tunnel_carries_a_console_and_ends_with_its_program():
    tunnel = Tunnel(["cat"])
    stream = SerialStream(tunnel.port)
    stream.write(b"through\n", 1)
    received = b""

    def arrived():
        nonlocal received
        received += stream.read(0.1)
        return received == b"through\n"

    until(arrived, lambda: f"only {received!r} came back", 10)
    stream.close()
    tunnel.close()
    tunnel.close()
    with pytest.raises(KittiwakeError, match="no-such-tool is not there"):
        Tunnel(["no-such-tool"])


def test_tunnel_that_ends_is_told_in_its_own_words(monkeypatch):
    monkeypatch.setattr(port, "_BOOT_S", 0.5)
    board = bench.BenchBoard(name="far", target="/dev/x", tunnel=["sh", "-c", "echo no route to lab >&2; exit 255"])
    far = opening.open_board("far", bench.Bench(boards=[board]))
    with pytest.raises(NoDeviceError, match="sh ended with status 255: no route to lab"):
        far.start()
    far.stop()


@pytest.mark.parametrize(
    ("need", "missing"),
    [
        ("i2c", []),
        ("spi", ["spi"]),
        ("heap>63k", []),
        ("heap>64k", ["heap>64k (it has 64k)"]),
        ("heap>1M", ["heap>1M (it has 64k)"]),
        ("import:json", []),
        ("import:os.path", ["import:os.path"]),
    ],
)
def test_needs_are_words_sizes_and_modules(need, missing):
    assert Needs({"i2c"}, 65536, lambda module: module == "json").lacking([need]) == missing


@pytest.mark.parametrize("need", ["", "heap>", "heap>64G", "import:", "import:a b", "a b", "import:os;x"])
def test_needs_that_cannot_be_read_are_refused(need):
    with pytest.raises(UsageError, match="is no need of a test"):
        Needs(set(), 0, lambda module: True).lacking([need])
