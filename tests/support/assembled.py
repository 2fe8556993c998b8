"""Checkouts whose assembler sources are changed, to see what that does to their kernels."""

import shutil
from pathlib import Path

from tools.assemble import project


def changed_checkout(folder: Path, name: str, changes: list[tuple[str, str]]) -> Path:
    """Copy the assembler sources, and change one of them.

    Args:
        folder: to copy to, empty.
        name: of the source, under firmware/assembler.
        changes: (what stands there once, what is to stand there instead).

    Returns:
        The folder, as a checkout for `project.sources`.
    """
    shutil.copytree(project.ROOT / project.SOURCES, folder / project.SOURCES)
    path = folder / project.SOURCES / name
    text = path.read_text()
    for right, wrong in changes:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    path.write_text(text)
    return folder
