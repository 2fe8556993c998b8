"""Write package.json, by which mip installs the firmware: the list of its files, with the version of all of them.

    python tools/mip_package.py [--check]

Kernels in assembler are left out: each fits one processor, and all of them together fill a small board's flash.
`kittiwake deploy` brings them.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import kittiwake
from kittiwake.target import mpy

PATH = Path(__file__).resolve().parents[1] / "package.json"
# Where the files lie in the repository; addresses in package.json are relative to it.
_FOLDER = "firmware/"


def package() -> dict[str, Any]:
    """Describe the firmware to mip.

    Returns:
        The content of package.json. Every file's address is relative, so that it comes from where package.json
        came from, of the same version.
    """
    paths = [path for path in kittiwake.firmware_files() if mpy.fits(path, "")]
    return {"urls": [[path, _FOLDER + path] for path in paths], "deps": [], "version": kittiwake.__version__}


def text() -> str:
    """package.json as it has to be: a line a file."""
    described = package()
    lines = ",\n".join(f"    {json.dumps(pair)}" for pair in described["urls"])
    return f'{{\n  "version": {json.dumps(described["version"])},\n  "deps": [],\n  "urls": [\n{lines}\n  ]\n}}\n'


def main() -> int:
    """Write the file, or check that it is as it has to be.

    Returns:
        0, or 1 when the check finds another file.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is not up to date")
    if not parser.parse_args().check:
        PATH.write_text(text())
    elif not PATH.is_file() or PATH.read_text() != text():
        print("package.json is stale: run make package.json", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
