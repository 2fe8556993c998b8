"""Folders of random Keras networks, made by an interpreter with TensorFlow (tests.support.keras_networks)."""

import subprocess
from pathlib import Path

_AT_ONCE = 20  # networks that one process makes
_PROGRAM = Path(__file__).with_name("keras_networks.py")


def write(tensorflow, folder, count, seconds):
    """Write networks 0 to count - 1 into a folder; each process may take so many seconds."""
    for first in range(0, count, _AT_ONCE):
        command = [tensorflow, str(_PROGRAM), str(folder), str(first), str(min(_AT_ONCE, count - first))]
        subprocess.run(command, check=True, capture_output=True, timeout=seconds)
