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


def install(tmp_path, *packages):
    """Put packages into a folder of their own. Returns it."""
    place = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1", "--target", str(place)]
    installed = subprocess.run([*pip, *packages], capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"pip has no {packages[-1]} here: {(installed.stderr.strip().splitlines() or [''])[-1]}")
    return place


@pytest.mark.parametrize("package", OTHERS)
def test_plugin_is_loaded_beside_another(package, tmp_path):
    # Regression: --target was an option of both, so that pytest did not start.
    needs, fixture, option, runs = OTHERS[package]
    place = install(tmp_path, "--no-deps", package, *needs)
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


def test_pytest_embedded_drives_an_emulated_board_by_its_port(request, tmp_path):
    refuse_or_skip(request.config, NAME)
    packages = ["filelock", "pexpect", "ptyprocess", "pytest-embedded", "pytest-embedded-serial"]
    place = install(tmp_path, "--no-deps", *packages)
    (tmp_path / "test_prompt.py").write_text(EMBEDDED)
    with console_of_a_board() as port:
        options = ["--embedded-services", "serial", "--port", port, "--root-logdir", str(tmp_path / "logs")]
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_prompt.py"]
        environment = {**os.environ, "PYTHONPATH": str(place)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


if SOAK:  # it brings some thirty packages

    @pytest.mark.timeout(300)
    def test_jumpstarter_drives_an_emulated_board_by_its_port(request, tmp_path):
        refuse_or_skip(request.config, NAME)
        place = install(tmp_path, "jumpstarter", "jumpstarter-driver-pyserial")
        script = tmp_path / "script.py"
        script.write_text(JUMPSTARTER)
        with console_of_a_board() as port:
            command = [sys.executable, str(script), port]
            environment = {**os.environ, "PYTHONPATH": str(place)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
