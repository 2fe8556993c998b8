"""Files of a board that are used where they lie, in flash that is memory: no copy of them takes its heap.

Knows which targets have such flash beside that of their other files; not what the files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import kittiwake
from kittiwake.target import images
from kittiwake.target.base import Target
from kittiwake.target.qemu import QemuTarget


def is_possible(target: Target) -> TypeGuard[QemuTarget]:
    """Tell whether a target has such flash.

    Args:
        target: any.
    """
    if not isinstance(target, QemuTarget):
        return False
    memory = images.by_target()[target.name].description["memory"]
    return "romfs_bytes" in memory and memory["storage"] != "romfs"


def deploy(target: QemuTarget, files: Mapping[str, bytes]) -> None:
    """Write files, and this installation's firmware, to /rom.

    The board is started anew, and its other files may be lost.

    Args:
        target: started; `is_possible`.
        files: path below /rom -> content.

    Raises:
        TargetError: they do not fit.
    """
    target.deploy({**target.compiled(kittiwake.firmware_files()), **files}, in_place=True)
