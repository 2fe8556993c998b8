"""Kittiwake on the host: the command, the bridge, the targets that firmware runs on, and the independent reference.

This module knows only the version and where the firmware's files are.
"""

from pathlib import Path

__version__ = "0.1.0"


def firmware_dir() -> Path:
    """Find the tree that is copied to a board: `main.py` beside the package `kittiwake_node`.

    Returns:
        The folder inside an installed wheel, or `firmware/` of the checkout that this package was installed from.

    Raises:
        FileNotFoundError: the installation is damaged: neither is there.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "_firmware", here.parents[1] / "firmware"):
        if (folder / "kittiwake_node").is_dir():
            return folder
    raise FileNotFoundError(f"no firmware beside {here}: reinstall kittiwake")
