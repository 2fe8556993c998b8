"""Tables of the rooms: what each is for, in its own words, and which others it may import (tools/rooms.toml)."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from tools.docs import markdown

_ROOT = Path(__file__).resolve().parents[2]
_TABLE = _ROOT / "tools" / "rooms.toml"
_HEAD = ("room", "what it is for", "may import")


def page() -> str:
    """Two tables in Markdown, of the host and of the firmware."""
    rooms = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    host = [(name, _purpose("host/kittiwake", name), _listed(allowed)) for name, allowed in rooms["host"].items()]
    firmware = [
        (name, _purpose("firmware/kittiwake_node", name), _listed(room["rooms"]))
        for name, room in rooms["firmware"].items()
    ]
    parts = [markdown.MADE]
    for title, rows in (("The host", host), ("The firmware", firmware)):
        parts.append(f"### {title}\n")
        parts.append(markdown.table(_HEAD, [(markdown.code(name), *cells) for name, *cells in rows]))
    return "\n".join(parts)


def _purpose(package: str, room: str) -> str:
    """The first sentence of the room's docstring: of a folder its `__init__`, of `kernels/plain` its loader's."""
    path = _ROOT / package / room
    if path.is_dir():
        path = path / "__init__.py"
    elif path.with_suffix(".py").exists():
        path = path.with_suffix(".py")
    else:
        return f"modules `{room}_*`" if list(path.parent.glob(f"{path.name}_*.py")) else ""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return markdown.words(text.split("\n\n")[0])


def _listed(allowed: str | list[str]) -> str:
    if isinstance(allowed, str):
        return allowed
    return ", ".join(markdown.code(name) for name in allowed) or "none"
