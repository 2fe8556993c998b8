"""The laws of the architecture, checked on the syntax tree; nothing of the project is imported or run.

Which room may import which stands in rooms.toml; here is only how it is checked. `python tools/layers.py` prints the
violations.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NODE = "kittiwake_node"
HOST = "kittiwake"
# The room of programs that run on boards: only its __init__ is the host's.
BOARD_CODE = "board_code"
TABLE = Path(__file__).with_name("rooms.toml")

_PLACES = {NODE: f"firmware/{NODE}", HOST: f"host/{HOST}"}
# Builtins by which a pure module would still reach the outside.
_OUTSIDE_CALLS = {"open", "input", "print", "__import__", "exec", "eval"}
# What mypy alone imports, under `if False:`, which neither Python compiles.
_FOR_MYPY = {"collections.abc", "kittiwake_types", "types", "typing"}
# Every room may import its package's own name (the version) and errors.
_FREE = ("", "errors")


def violations(root: Path, table: Mapping[str, Any] | None = None) -> list[str]:
    """Check every Python file under firmware/ and host/.

    Args:
        root: the project's folder.
        table: as rooms.toml; read from there when None.

    Returns:
        One line for each violation, naming file, line and law; empty when the laws hold.

    Raises:
        FileNotFoundError: there is no firmware or no host to check, so that an empty run cannot pass.
    """
    if table is None:
        table = tomllib.loads(TABLE.read_text())
    broken = []
    for package, place in _PLACES.items():
        files = sorted((root / place).rglob("*.py"))
        if not files:
            raise FileNotFoundError(f"no Python files under {root / place}")
        trees = {}
        for path in files:
            name = path.relative_to(root / place).with_suffix("").as_posix()
            try:
                trees[name] = ast.parse(path.read_bytes(), str(path))
            except SyntaxError as error:
                broken.append(f"{place}/{name}.py:{error.lineno}: is not Python: {error.msg}")
        check = _check_firmware if package == NODE else _check_host
        for name, tree in trees.items():
            broken += [f"{place}/{name}.py:{line}: {problem}" for line, problem in check(name, tree, table)]
        broken += [
            f"{place}/{cycle[0]}.py:1: imports itself by way of {' -> '.join(cycle)}"
            for cycle in _cycles(package, trees)
        ]
    return broken


def _room(name: str, rooms: Mapping[str, Any]) -> str | None:
    """The room of a module: the longest name in the table that it begins with; "" for a package's own __init__."""
    if name == "__init__" or name in _FREE:
        return ""
    # kernels/plain_zscore is of the room kernels/plain.
    matching = [room for room in rooms if name == room or name.startswith((room + "/", room + "_"))]
    return max(matching, key=len, default=None)


def _check_firmware(name: str, tree: ast.Module, table: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    rooms = table["firmware"]
    room = _room(name, rooms)
    if room is None:
        yield 1, f"is in no room that the architecture names ({', '.join(rooms)})"
        return
    rule = rooms[room] if room else {"rooms": [], "modules": []}
    outside = table["pure"]["modules"] if rule["modules"] == "pure" else rule["modules"]
    never_run = _lines_never_run(tree)
    for line, module in _imports(tree, NODE, name):
        if line in never_run and module in _FOR_MYPY:
            continue
        if module == NODE or module.startswith(NODE + "."):
            other = _room(module[len(NODE) + 1 :].replace(".", "/"), rooms)
            if other not in (room, "") and rule["rooms"] != "any" and other not in rule["rooms"]:
                yield line, f"{room or name} must not import {module} (law {2 if room in ('io', 'store') else 1})"
        elif outside != "any" and module.split(".")[0] not in outside:
            yield line, f"{room or name} must not import {module} (law {2 if room in ('store', 'node') else 1})"
    if rule.get("pure"):
        for line, call in _calls(tree):
            if call in _OUTSIDE_CALLS:
                yield line, f"{room} must not call {call}() (law 1)"


def _check_host(name: str, tree: ast.Module, table: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    rooms = table["host"]
    room = _room(name, rooms)
    if room == BOARD_CODE and name != f"{BOARD_CODE}/__init__":
        for line, module in _imports(tree, HOST, name):
            if module.split(".")[0] not in (NODE, *table[BOARD_CODE]["modules"]):
                yield line, f"a program for boards must not import {module} (law 3)"
        return
    if room is None:
        yield 1, f"is in no room that the architecture names ({', '.join(rooms)})"
        return
    allowed = rooms[room] if room else []
    shared = [f"{NODE}.{module}" for module in table["shared"]["modules"]] if room != "reference" else []
    for line, module in _imports(tree, HOST, name):
        if module == NODE or module.startswith(NODE + "."):
            if not any(module == one or module.startswith(one + ".") for one in shared):
                yield line, f"{'reference' if room == 'reference' else 'the host'} must not import {module} (law 3)"
        elif module == HOST or module.startswith(HOST + "."):
            other = _room(module[len(HOST) + 1 :].replace(".", "/"), rooms)
            if room == "reference" and other != room:
                yield line, f"reference must not import {module} (law 3)"
            elif other not in (room, "") and allowed != "any" and other not in allowed:
                yield line, f"{room or name} must not import {module} (rooms.toml)"


def _imports(tree: ast.Module, package: str, name: str) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of all that is imported, `from package import module` resolved to the module."""
    inside = [package, *name.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # Inside a package the imported name may be a module of its own: judge the longer name.
            is_ours = module.split(".")[0] in _PLACES
            for alias in node.names:
                is_name = alias.name.islower() and not alias.name.startswith("_")
                yield node.lineno, f"{module}.{alias.name}" if is_ours and is_name else module


def _lines_never_run(tree: ast.Module) -> set[int]:
    """The lines of the bodies of `if False:`."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value is False
        for child in node.body
        for line in range(child.lineno, (child.end_lineno or child.lineno) + 1)
    }


def _cycles(package: str, trees: Mapping[str, ast.Module]) -> Iterator[list[str]]:
    """Yield each circle of modules once, beginning with its first module by name."""
    arrows = {name: sorted(_modules(package, name, tree, trees)) for name, tree in trees.items()}
    done: set[str] = set()
    for start in sorted(arrows):
        way: list[str] = []
        # Depth first: each name is entered, and left again when all that it imports was.
        stack = [(start, iter(arrows[start]))] if start not in done else []
        way += [start] if stack else []
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                way.pop()
                done.add(name)
            elif following in way:
                circle = way[way.index(following) :]
                first = circle.index(min(circle))
                yield [*circle[first:], *circle[:first], circle[first]]
            elif following not in done:
                way.append(following)
                stack.append((following, iter(arrows[following])))


def _modules(package: str, name: str, tree: ast.Module, trees: Mapping[str, ast.Module]) -> set[str]:
    """The modules of this package that a module imports, by their paths."""
    modules = set()
    for _, module in _imports(tree, package, name):
        parts = module.split(".")
        if parts[0] != package:
            continue
        path = "/".join(parts[1:])
        # The name of a module, of a package, or of something in either.
        for one in (
            path,
            f"{path}/__init__".lstrip("/"),
            path.rpartition("/")[0],
            f"{path.rpartition('/')[0]}/__init__",
        ):
            if one in trees:
                modules.add(one)
                break
    return modules


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def main() -> int:
    """Print the violations of the checkout that this file is in; return 1 when there are any."""
    broken = violations(Path(__file__).resolve().parents[1])
    print("\n".join(broken) if broken else "layers: the laws hold")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
