"""Beside others from PyPI: the plugin is in nobody's way, and an emulated board is one for them, by its port."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from tests.support.hil import SOAK

TESTS = """
def test_both(board, FIXTURE):
    assert board.eval("6 * 7") == 42
"""
# Package, with what it needs -> a fixture of its own, an option of its own, how often the test runs.
OTHERS = {
    "pytest-embedded": (["filelock", "pexpect", "ptyprocess"], "dut", ["--target", "esp32"], 1),
    "pytest-repeat": ([], "request", ["--count", "3"], 3),
}


def install(folder, *packages):
    """Put packages into a folder of their own. Returns it."""
    place = folder / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1", "--target", str(place)]
    installed = subprocess.run([*pip, *packages], capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"pip has no {packages[-1]} here: {(installed.stderr.strip().splitlines() or [''])[-1]}")
    return place


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """A folder with pytest-embedded and its service for serial ports."""
    packages = [*OTHERS["pytest-embedded"][0], "pytest-embedded", "pytest-embedded-serial"]
    return install(tmp_path_factory.mktemp("embedded"), "--no-deps", *packages)


@pytest.mark.parametrize("package", OTHERS)
def test_plugin_is_loaded_beside_another(package, request, tmp_path):
    # Regression: --target was an option of both, so that pytest did not start.
    needs, fixture, option, runs = OTHERS[package]
    is_embedded = package == "pytest-embedded"
    place = request.getfixturevalue("embedded") if is_embedded else install(tmp_path, "--no-deps", package, *needs)
    (tmp_path / "test_both.py").write_text(TESTS.replace("FIXTURE", fixture))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board=unix", "--hil-json=runs.json"]
    command += [*option, "test_both.py"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert f"{runs} passed" in done.stdout, done.stdout + done.stderr
    tests = json.loads((tmp_path / "runs.json").read_text())["tests"]
    assert [test["row"] for test in tests] == runs * ["test_both.py::test_both"]  # repeats are one test's
    name = package.removeprefix("pytest-")
    assert name in next(line for line in done.stdout.splitlines() if line.startswith("plugins:"))


NAME = "qemu:mps2-an385"
EMBEDDED = """
def test_prompt(dut):
    dut.write("print(6 * 7)\\r")
    dut.expect_exact("42")
"""
JUMPSTARTER = """
import sys
from jumpstarter.common.utils import serve
from jumpstarter_driver_pyserial.driver import PySerial

with serve(PySerial(url=sys.argv[1])) as client, client.pexpect() as console:
    console.sendline("print(6 * 7)\\r")
    console.expect("\\r\\n42\\r\\n", timeout=10)
"""


@contextlib.contextmanager
def console_of_a_board():
    command = [sys.executable, "-m", "kittiwake", "node", "up", "--json", "--target", NAME]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())["console"]
        finally:
            process.send_signal(signal.SIGTERM)


def run_embedded(place, folder, *options):
    """Run a folder's tests with pytest-embedded. Returns what pytest said."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--root-logdir",
        str(folder / "logs"),
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr


def test_pytest_embedded_drives_an_emulated_board_by_its_port(request, embedded, tmp_path):
    refuse_or_skip(request.config, NAME)
    (tmp_path / "test_prompt.py").write_text(EMBEDDED)
    with console_of_a_board() as port:
        said = run_embedded(embedded, tmp_path, "--embedded-services", "serial", "--port", port)
    assert "1 passed" in said, said


SERVICE = """
import pytest
import pexpect

def test_line_is_run_and_expected(dut):
    dut.write("print(6 * 7)")
    assert dut.expect(r"(4\\d)\\r\\n").group(1) == b"42"

def test_what_never_comes_is_missed(dut):
    with pytest.raises(pexpect.TIMEOUT):
        dut.expect_exact("no such text", timeout=0.3)

def test_power_is_cut_between_two_lines(dut):
    dut.write("kept = 1")
    dut.write("print('before' + 'hand')")
    dut.expect_exact("beforehand")
    with dut.board() as board:
        board.cut_power()
        board.start()
    dut.write("print('kept' in globals())")
    dut.expect_exact("False")

@pytest.mark.parametrize("app_path", [APP], indirect=True)
def test_application_runs(dut):
    dut.expect_exact("up and running")
    dut.write("21")
    dut.expect_exact("twice is 42")
"""
MAIN = """
import helper
print("up and", helper.WORD)
print("twice is", 2 * int(input()))
"""


def test_pytest_embedded_has_a_service_for_our_boards(request, embedded, tmp_path):
    refuse_or_skip(request.config, NAME)
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text(MAIN)
    (app / "helper.py").write_text('WORD = "running"\n')
    (tmp_path / "test_service.py").write_text(SERVICE.replace("APP", repr(str(app))))
    said = run_embedded(embedded, tmp_path, "--embedded-services", "kittiwake", f"--board={NAME}", "--board=unix")
    assert "4 passed" in said and "4 errors" in said, said
    assert "unix has no console for others" in said, said


JUMPSTARTER_PACKAGES = ["jumpstarter", "jumpstarter-driver-power", "jumpstarter-driver-pyserial"]
DRIVER = """
import sys
from jumpstarter.common.utils import serve
from kittiwake.hil.jumpstarter.driver import Board

with serve(Board(board=sys.argv[1])) as board:
    board.power.on()
    assert board.eval("6 * 7, b'raw', None") == (42, b"raw", None)
    board.deploy({"helper.py": "WORD = 'helped'"})
    assert board.exec("import helper; print(helper.WORD)") == "helped\\n"
    try:
        board.exec("1 / 0")
    except Exception as error:
        assert "ZeroDivisionError" in str(error), error
    else:
        raise AssertionError("nothing was raised")
    board.exec("kept = 1")
    with board.serial.pexpect() as console:
        console.sendline("print('ke' + 'pt', kept)\\r")
        console.expect("kept 1", timeout=10)
    assert board.eval("kept") == 1
    board.power.off()
    board.power.on()
    assert board.eval("'kept' in globals()") is False
    board.reset()
    from click.testing import CliRunner
    assert CliRunner().invoke(board.cli(), ["exec", "print(3 + 4)"]).output == "7\\n"
print("all done")
"""


if SOAK:  # it brings some thirty packages

    @pytest.mark.timeout(300)
    def test_jumpstarter_drives_an_emulated_board_by_its_port(request, tmp_path):
        refuse_or_skip(request.config, NAME)
        place = install(tmp_path, *JUMPSTARTER_PACKAGES)
        script = tmp_path / "script.py"
        script.write_text(JUMPSTARTER)
        with console_of_a_board() as port:
            command = [sys.executable, str(script), port]
            environment = {**os.environ, "PYTHONPATH": str(place)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr

    @pytest.mark.timeout(300)
    def test_jumpstarter_has_a_driver_for_our_boards(request, tmp_path):
        refuse_or_skip(request.config, NAME)
        place = install(tmp_path, *JUMPSTARTER_PACKAGES)
        script = tmp_path / "script.py"
        script.write_text(DRIVER)
        environment = {**os.environ, "PYTHONPATH": str(place)}
        command = [sys.executable, str(script), NAME]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.stdout.endswith("all done\n"), done.stdout + done.stderr
