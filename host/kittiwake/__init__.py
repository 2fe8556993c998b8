"""Kittiwake on the host: the command, the bridge, the targets that firmware runs on, and the independent reference.

This module knows only the version and where the firmware's files are.
"""

from importlib import resources
from pathlib import Path

__version__ = "0.1.0"


def firmware_files() -> dict[str, bytes]:
    """Read the tree that is copied to a board: `main.py` and the package `kittiwake_node`.

    Returns:
        Path on the board -> content, in the order of the paths; from an installed wheel or from the checkout that this
        package was installed from. Kernels that MicroPython has no inline assembler for are precompiled (.mpy).

    Raises:
        FileNotFoundError: the installation is damaged.
    """
    node = Path(str(resources.files("kittiwake_node")))
    here = Path(__file__).resolve().parent
    places = [here / "_firmware" / "main.py", node.parent / "main.py"]
    main = next((place for place in places if place.is_file()), None)
    if main is None:
        raise FileNotFoundError(f"{places[0]} is missing: reinstall kittiwake")
    modules = [*node.rglob("*.py"), *(node / "kernels").glob("*.mpy")]
    paths = {f"kittiwake_node/{path.relative_to(node).as_posix()}": path for path in modules}
    paths["main.py"] = main
    return {path: paths[path].read_bytes() for path in sorted(paths)}
