"""The plugin beside others from PyPI: neither's options nor fixtures are in the other's way."""

import os
import subprocess
import sys

import pytest

TESTS = """
def test_both(board, FIXTURE):
    assert board.eval("6 * 7") == 42
"""
# Package, with what it needs -> a fixture of its own, an option of its own, how often the test runs.
OTHERS = {
    "pytest-embedded": (["filelock", "pexpect", "ptyprocess"], "dut", ["--target", "esp32"], 1),
    "pytest-repeat": ([], "request", ["--count", "3"], 3),
}


@pytest.mark.parametrize("package", OTHERS)
def test_plugin_is_loaded_beside_another(package, tmp_path):
    # Regression: --target was an option of both, so that pytest did not start.
    needs, fixture, option, runs = OTHERS[package]
    place = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries=1", "--no-deps", "--target", str(place)]
    installed = subprocess.run([*pip, package, *needs], capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"pip has no {package} here: {(installed.stderr.strip().splitlines() or [''])[-1]}")
    (tmp_path / "test_both.py").write_text(TESTS.replace("FIXTURE", fixture))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board=unix", *option, "test_both.py"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert f"{runs} passed" in done.stdout, done.stdout + done.stderr
    name = package.removeprefix("pytest-")
    assert name in next(line for line in done.stdout.splitlines() if line.startswith("plugins:"))
