"""The three laws of the architecture, checked on the syntax tree; nothing is imported or run.

Knows which room may import what, and not what the rooms do. `python tools/layers.py` prints the violations.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

NODE = "kittiwake_node"
HOST = "kittiwake"

_PURE_MODULES = {"array", "struct", "binascii", "micropython"}
# What each room of the firmware may import: modules from outside, and rooms or modules of the firmware.
_FIRMWARE = {
    "core": (_PURE_MODULES, {"core", "errors"}),
    "speech": (_PURE_MODULES, {"speech", "core", "model", "errors"}),
    "model": (_PURE_MODULES, {"model", "errors"}),
    "kernels/plain": (_PURE_MODULES, {"kernels.plain", "errors"}),
    # The other kernels are pure as well; the loader asks sys which implementation it runs on.
    "kernels": (_PURE_MODULES | {"sys"}, {"kernels", "errors"}),
    # A store is given its file system: it needs no os, and opens what it was given.
    "store": (_PURE_MODULES, {"store", "core", "errors"}),
    "config": (_PURE_MODULES | {"json"}, {"core", "config_link", "config_mqtt", "config_source", "errors"}),
    "config_source": (set(), {"config_link", "errors"}),
    "config_link": (set(), {"errors"}),
    "config_mqtt": (set(), {"core.publication", "config_link", "errors"}),
    "uplink": (set(), set()),
    "keeping": (set(), {"errors", "store"}),
    "health": (set(), {"core"}),
    "orders": ({"json", "struct"}, {"core"}),
    "errors": (set(), set()),
    # The outside is reached here alone; stages are joined elsewhere.
    # What a board needs of other servers before it can speak to its broker has a codec, as the link's frames have.
    "io": (None, {"io", "errors", "core.dns", "core.sntp"}),
    "assembly": (_PURE_MODULES | {"json"}, None),
    "node": (_PURE_MODULES | {"gc", "sys", "json"}, None),
    "__init__": (set(), set()),
}
# Builtins by which a pure module would still reach the outside.
_OUTSIDE_CALLS = {"open", "input", "print", "__import__", "exec", "eval"}
_NO_OUTSIDE_CALLS = ("core", "speech", "model", "kernels/plain")
# The host shares the codec with the firmware, never its numerics.
_CODEC = ("record", "payload", "frame", "messages", "session", "device_session", "gateway_session")
_SHARED = {f"{NODE}.errors"} | {f"{NODE}.core.{name}" for name in _CODEC}


def violations(root: Path) -> list[str]:
    """Check every Python file under firmware/ and host/.

    Args:
        root: the project's folder.

    Returns:
        One line for each violation, naming file, line and law; empty when the laws hold.

    Raises:
        FileNotFoundError: there is no firmware or no host to check, so that an empty run cannot pass.
    """
    found = []
    for place, check in (("firmware/kittiwake_node", _check_firmware), ("host/kittiwake", _check_host)):
        files = sorted((root / place).rglob("*.py"))
        if not files:
            raise FileNotFoundError(f"no Python files under {root / place}")
        for path in files:
            name = path.relative_to(root / place).with_suffix("").as_posix()
            try:
                tree = ast.parse(path.read_bytes(), str(path))
            except SyntaxError as error:
                found.append(f"{place}/{name}.py:{error.lineno}: is not Python: {error.msg}")
                continue
            found += [f"{place}/{name}.py:{line}: {what}" for line, what in check(name, tree)]
    return found


def _check_firmware(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    room = name if name in _FIRMWARE else name.split("/")[0]
    if room not in _FIRMWARE:
        yield 1, f"is in no room that the architecture names ({', '.join(_FIRMWARE)})"
        return
    outside, inside = _FIRMWARE[room]
    package = ".".join([NODE, *name.split("/")[:-1]])
    for line, module in _imports(tree, package):
        if module == NODE or module.startswith(NODE + "."):
            part = module[len(NODE) + 1 :]
            if inside is not None and not any(part == room or part.startswith(room + ".") for room in inside):
                yield line, f"{room} must not import {module} (law {2 if room in ('io', 'store') else 1})"
        elif outside is not None and module.split(".")[0] not in outside:
            yield line, f"{room} must not import {module} (law {2 if room in ('store', 'node') else 1})"
    if name.startswith(_NO_OUTSIDE_CALLS):
        for line, call in _calls(tree):
            if call in _OUTSIDE_CALLS:
                yield line, f"{room} must not call {call}() (law 1)"


def _check_host(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    package = ".".join([HOST, *name.split("/")[:-1]])
    reference = name.startswith("reference/")
    for line, module in _imports(tree, package):
        of_node = module == NODE or module.startswith(NODE + ".")
        if reference and (of_node or (module.split(".")[0] == HOST and not module.startswith(f"{HOST}.reference"))):
            yield line, f"reference must not import {module} (law 3)"
        elif of_node and not any(module == shared or module.startswith(shared + ".") for shared in _SHARED):
            yield line, f"the host must not import {module} (law 3)"


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of all that is imported, `from package import module` resolved to the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # Inside a package the imported name may be a module of its own: judge the longer name.
            folder = module in (NODE, HOST) or module.startswith((NODE + ".", HOST + "."))
            for alias in node.names:
                lower = alias.name.islower() and not alias.name.startswith("_")
                yield node.lineno, f"{module}.{alias.name}" if folder and lower else module


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def main() -> int:
    """Print the violations of the checkout that this file is in; return 1 when there are any."""
    found = violations(Path(__file__).resolve().parents[1])
    print("\n".join(found) if found else "layers: the three laws hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
