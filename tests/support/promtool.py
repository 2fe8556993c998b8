"""Prometheus's own check of an exposition; tests that call it need promtool."""

import subprocess

from tools import system


def complaints(exposition):
    """Lines that `promtool check metrics` prints."""
    done = subprocess.run(
        [system.find("promtool"), "check", "metrics"], input=exposition, capture_output=True, timeout=60
    )
    assert done.returncode in (0, 3), done.stderr  # 3: it complains
    return (done.stdout + done.stderr).decode().splitlines()
