"""Firmwares of emulated boards out of a wheel of kittiwake-boards, where pip cannot or shall not install it.

Knows the wheel's folders; what is in them is images' business.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.target import images

_FILES = ("firmware.elf", "build.json")


def install(wheel: Path) -> list[str]:
    """Put the firmwares of a wheel where targets look for them; those of the same boards from before are replaced.

    Args:
        wheel: its file.

    Returns:
        Names of the targets.

    Raises:
        UsageError: this is a checkout, whose firmwares are built.
        ConfigError: the file is no such wheel, or is damaged.
        KittiwakeError: they cannot be written.
    """
    if images.is_checkout():
        raise UsageError("a checkout builds its firmwares", "run `make boards`")
    place = images.cache_dir(images.INSTALLED)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=place, prefix=".new-") as work:
            for board in images.every().values():
                folder = Path(work) / board.name
                folder.mkdir()
                for name in _FILES:
                    (folder / name).write_bytes(archive.read(f"{images.INSTALLED}/{board.name}/{name}"))
                if images.read_image(folder) is None:
                    raise ConfigError(f"{wheel}: the firmware of {board.target} is damaged", "fetch the wheel again")
                shutil.rmtree(place / board.name, ignore_errors=True)
                os.replace(folder, place / board.name)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(f"{wheel} is no wheel of kittiwake-boards of this version", "name its file") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{wheel} is not there", "name the wheel's file") from error
    except OSError as error:
        raise KittiwakeError(f"firmwares cannot be written to {place}: {error.strerror}") from error
    return list(images.by_target())
