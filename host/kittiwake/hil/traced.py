"""Which lines of a project's files ran on a board: asked of the board before it forgets, named as on this machine.

Knows boards and paths; neither pytest nor coverage.py.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from kittiwake import board_code
from kittiwake.errors import KittiwakeError
from kittiwake.hil.board import Board
from kittiwake.hil.files import folder_files

_ANSWER_S = 5.0
_READ_ONLY = "rom/"


class Traced(Board):
    """A board that notes which lines run, for as long as it answers: what ran before it died is not known.

    Attributes:
        lines: file of this machine -> its lines that ran; of folders that were deployed or mounted, and of scripts.
        can_trace: whether its MicroPython has sys.settrace; None before the first start.
    """

    lines: dict[Path, set[int]]
    can_trace: bool | None = None
    _names: dict[str, Path]
    _is_tracing = False

    def start(self) -> None:
        """As `Board.start`; lines are noted from then on."""
        if not hasattr(self, "lines"):
            self.lines, self._names = {}, {}
        super().start()
        self._begin()

    def reset(self) -> None:
        """As `Board.reset`."""
        self._collect()
        super().reset()
        self._begin()

    def cut_power(self) -> None:
        """As `Board.cut_power`, after the board was asked for its lines."""
        self._collect()
        super().cut_power()

    def stop(self) -> None:
        """As `Board.stop`."""
        self._collect()
        super().stop()

    def deploy(self, files: Mapping[str, bytes | str] | str | Path) -> None:
        """As `Board.deploy`; a folder's files are those whose lines are told."""
        self._collect()  # some boards are started anew for it
        if isinstance(files, str | Path):
            self._note(Path(files), "")
        super().deploy(files)
        self._begin()

    def mount(self, folder: str | Path, at: str = "/host") -> None:
        """As `Board.mount`; likewise."""
        super().mount(folder, at)
        self._note(Path(folder), at.strip("/") + "/")

    def run(self, path: str | Path, timeout_s: float = 60.0) -> str:
        """As `Board.run`; the script's lines are told."""
        file = Path(path).resolve()
        self._names[file.name] = file
        self.lines.setdefault(file, set())
        return super().run(path, timeout_s)

    def _note(self, folder: Path, at: str) -> None:
        for name in folder_files(folder):
            if name.endswith(".py"):
                file = (folder / name).resolve()
                self._names[at + name] = file
                self.lines.setdefault(file, set())

    def _begin(self) -> None:
        if self._is_tracing or self.can_trace is False:
            return
        self.target.exec(board_code.source("hil/lines"))
        self.can_trace = self._is_tracing = self.target.exec("kw_trace_lines()").strip() == "True"

    def _collect(self) -> None:
        if not self._is_tracing:
            return
        self._is_tracing = False
        try:
            printed = self.target.exec("kw_print_lines()", _ANSWER_S)
        except KittiwakeError:
            return
        for line in printed.splitlines():
            name, _, bits = line.partition("\t")
            file = self._names.get(name.lstrip("/").removeprefix(_READ_ONLY))
            if file is not None:
                self.lines[file] |= _numbers(bytes.fromhex(bits))


def _numbers(bits: bytes) -> set[int]:
    return {8 * at + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1} - {0}


def with_silent_lines(source: str, lines: set[int]) -> set[int]:
    """Add the lines that a board runs without telling: MicroPython makes no code of them.

    They count as run when what comes before them in their block was, or what opens the block; alone in an `else`, which
    has no code either, they never do.

    Args:
        source: of the file.
        lines: that the board told.

    Returns:
        These, with every such `pass`, `_NAME = const(…)`, `while True:` and `def` below a decorator.
    """
    told = set(lines)
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return told  # in the board's Python only
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and any(one.lineno in told for one in node.decorator_list):
            told.add(node.lineno)
        opens = min(told, default=0) if isinstance(node, ast.Module) else getattr(node, "lineno", 0)
        for block, before in (("body", opens), ("orelse", 0), ("finalbody", opens)):
            statements = getattr(node, block, [])
            for statement in statements if isinstance(statements, list) else []:
                if _is_silent(statement) and before in told:
                    told.add(statement.lineno)
                before = statement.lineno
    return told


def _is_silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.While | ast.If) and isinstance(statement.test, ast.Constant):
        return True
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id.startswith("_")
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Name)
        and statement.value.func.id == "const"
    )
