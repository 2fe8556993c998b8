"""Prometheus's own check of an exposition, where its promtool is installed."""

import subprocess

import pytest

from tools import system

# Its package is a server, which nobody gets for a check of names that test_metrics.py makes as well.
MISSING = "promtool is missing: it is in Debian's package prometheus"


def complaints(exposition):
    """Lines that `promtool check metrics` prints; the test is skipped where it is missing."""
    program = system.find("promtool")
    if program is None:
        pytest.skip(MISSING)
    done = subprocess.run([program, "check", "metrics"], input=exposition, capture_output=True, timeout=60)
    assert done.returncode in (0, 3), done.stderr  # 3: it complains
    return (done.stdout + done.stderr).decode().splitlines()
