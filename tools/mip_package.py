"""Write what mip installs: package.json, the firmware, and network.json, what runs a network in a script of one's own.

    python tools/mip_package.py [--check]

Kernels in assembler are left out: each fits one processor, and all of them together fill a small board's flash. So is
what takes releases, since that needs slots, and mip makes none. All sources together are more than a MiB holds, so what
tells a machine's states is left out, too, the plain kernels of networks, which define the viper ones, and kernels for
int16 activations, which no node's networks have. `kittiwake deploy` brings what a configuration needs.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import kittiwake
from kittiwake.deploy import choose
from kittiwake.target import mpy
from kittiwake_node import network
from kittiwake_node.kernels import entries16

_ROOT = Path(__file__).resolve().parents[1]
PATH = _ROOT / "package.json"
NETWORK_PATH = _ROOT / "network.json"
_STAGES = {stage for stage, _ in network._ENTRIES + entries16.ENTRIES}  # of every kind of step
# Where the files lie in the repository; addresses in package.json are relative to it.
_FOLDER = "firmware/"
# What is imported where an application lies in a slot.
_OF_SLOTS = ("kittiwake_node/update/", "kittiwake_node/updating.py", "kittiwake_node/io/build_facts.py")


def package() -> dict[str, Any]:
    """Describe the firmware to mip.

    Returns:
        The content of package.json. Every file's address is relative, so that it comes from where package.json
        came from, of the same version.
    """
    files = [path for path in kittiwake.firmware_files() if mpy.fits(path, "") and not choose.is_for_own_scripts(path)]
    left_out = _of_states() | _plain_networks()
    return _described([path for path in files if not path.startswith(_OF_SLOTS) and path not in left_out])


def _of_states() -> set[str]:
    most = {"kernel": "plain", "link": {"kind": "mqtt"}}
    with_states, without = (
        choose.files(kittiwake.firmware_files(), {**most, "channels": [{"kind": kind} for kind in kinds]})
        for kinds in (("microphone", "states"), ("microphone",))
    )
    return set(with_states) - set(without)


def _plain_networks() -> set[str]:
    stages = {"requant", *_STAGES}  # what they share, and themselves
    return {f"kittiwake_node/kernels/plain_{stage}.py" for stage in stages}


def network_package() -> dict[str, Any]:
    """Describe to mip what a network takes without the node: the executor, and its kernels in viper."""
    stages = {"summary", *_STAGES}  # `kernels.load` tries the summary
    kernels = [f"kernels/viper_{stage}.py" for stage in sorted(stages)]
    names = ["__init__.py", "errors.py", "kernels/__init__.py", "kernels/entries16.py", *kernels, "network.py"]
    return _described([f"kittiwake_node/{name}" for name in names])


def _described(paths: list[str]) -> dict[str, Any]:
    return {"urls": [[path, _FOLDER + path] for path in paths], "deps": [], "version": kittiwake.__version__}


def text(described: dict[str, Any]) -> str:
    """A description as its file has to be: a line a file of the firmware."""
    lines = ",\n".join(f"    {json.dumps(pair)}" for pair in described["urls"])
    return f'{{\n  "version": {json.dumps(described["version"])},\n  "deps": [],\n  "urls": [\n{lines}\n  ]\n}}\n'


def main() -> int:
    """Write the files, or check that they are as they have to be.

    Returns:
        0, or 1 when the check finds another file.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not up to date")
    is_check = parser.parse_args().check
    stale = 0
    for path, described in ((PATH, package()), (NETWORK_PATH, network_package())):
        if not is_check:
            path.write_text(text(described))
        elif not path.is_file() or path.read_text() != text(described):
            print(f"{path.name} is stale: run make package.json", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
