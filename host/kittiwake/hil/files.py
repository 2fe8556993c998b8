"""Files for a board: given one by one, or as a folder of this machine.

Knows folders only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kittiwake.errors import UsageError


def folder_files(folder: Path) -> dict[str, bytes]:
    """Read a folder as files for a board.

    Args:
        folder: of this machine.

    Returns:
        Path below it -> content; caches and hidden files are left out.

    Raises:
        UsageError: there is no such folder, or nothing in it.
    """
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    }
    if not files:
        raise UsageError(f"{folder} holds no files for a board", "name a folder")
    return files


def contents(files: Mapping[str, bytes | str] | str | Path) -> dict[str, bytes]:
    """Read what is to be on a board.

    Args:
        files: path on the board -> content; or a folder of this machine.

    Returns:
        Path on the board -> content.

    Raises:
        UsageError: as of `folder_files`.
    """
    if isinstance(files, str | Path):
        return folder_files(Path(files))
    return {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
