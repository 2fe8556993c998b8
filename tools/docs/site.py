"""A Sphinx extension: before the site is read, its reference pages and pictures are made from the code.

It knows where they go; what they say is the other modules' business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kittiwake.boards.description import Board
from kittiwake.bridge.settings import Settings
from kittiwake.history.settings import Settings as HistorySettings
from kittiwake.serve.card import Card
from kittiwake.serve.settings import Settings as ServeSettings
from tools.docs import command_line, models, node_toml, operators, pictures, python_api, rooms, root_pages, topics

FOLDER = "generated"
_GATEWAY = """\
`kittiwake bridge init` writes this file with every setting. `kittiwake bridge check` says what it would do, or the line
at fault. The environment overrides: `[broker] keepalive_s` is `KITTIWAKE_BROKER__KEEPALIVE_S`, the second device's port
`KITTIWAKE_DEVICES__1__PORT`.
"""
_HISTORY = """\
`kittiwake history run -c history.toml` reads this file. The environment overrides, as for gateway.toml:
`[history] database` is `KITTIWAKE_HISTORY__DATABASE`.
"""
_SERVE = """\
`kittiwake serve -c serve.toml` reads this file; its options stand above it. The environment overrides, as for
gateway.toml: `[serve] listen` is `KITTIWAKE_SERVE__LISTEN`.
"""
_CARD = """\
NAME.toml beside NAME.onnx or NAME.tflite says what the model's features are, and what its answer means. Every setting
has a default, and so has the card.
"""
_BOARD = """\
`boards/NAME/board.toml` describes a kind of board; `kittiwake boards show NAME` prints one. Every fact has its source
in `[sources]`, under its own key or its table's.
"""


def pages() -> dict[str, str]:
    """Every generated page: file name -> Markdown."""
    return {
        "command-line.md": command_line.page(),
        "node-toml.md": node_toml.page(),
        "gateway-toml.md": models.page("gateway.toml", _GATEWAY, Settings, ""),
        "history-toml.md": models.page("history.toml", _HISTORY, HistorySettings, ""),
        "serve-toml.md": models.page("serve.toml", _SERVE, ServeSettings, ""),
        "card-toml.md": models.page("A model's card", _CARD, Card, ""),
        "board-toml.md": models.page("board.toml", _BOARD, Board, "The board"),
        "topics.md": topics.page(),
        "operators.md": operators.page(),
        "python-api.md": python_api.page(),
        "rooms.md": rooms.page(),
        **root_pages.pages(),
    }


def write(folder: Path) -> None:
    """Write every page whose text changed, so that an unchanged one is not read anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _take_literally(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings say |z| for a magnitude, which reStructuredText would replace."""
    lines[:] = [line.replace("|", "\\|") for line in lines]


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("autodoc-process-docstring", _take_literally)
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / FOLDER))
    app.connect("builder-inited", lambda app: pictures.write(Path(app.srcdir) / FOLDER))
    return {"parallel_read_safe": True}
