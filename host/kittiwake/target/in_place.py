"""Files of a board that are used where they lie, in flash that is memory: no copy of them takes its heap.

Knows which targets have such flash beside that of their other files; not what the files are.
"""

from __future__ import annotations

from collections.abc import Mapping

import kittiwake
from kittiwake.target import images
from kittiwake.target.base import Target
from kittiwake.target.qemu import QemuTarget


def deploy(target: Target, files: Mapping[str, bytes]) -> bool:
    """Write files, and this installation's firmware, to /rom.

    The board is started anew, and its other files may be lost.

    Args:
        target: started.
        files: path below /rom -> content.

    Returns:
        Whether the target can do it; where it cannot, nothing has happened.

    Raises:
        TargetError: they do not fit.
    """
    if not isinstance(target, QemuTarget):
        return False
    memory = images.by_target()[target.name].description["memory"]
    if "romfs_bytes" not in memory or memory["storage"] == "romfs":
        return False
    target.deploy({**target.compiled(kittiwake.firmware_files()), **files}, in_place=True)
    return True
