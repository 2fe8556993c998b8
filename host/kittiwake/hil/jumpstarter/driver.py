"""The driver: a board by the name that `pytest --board` takes, with its power and its console as children.

Knows jumpstarter's drivers and boards; it runs in the exporter, beside the board.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from anyio import to_thread
from jumpstarter.driver import Driver, export, exportstream
from jumpstarter_driver_power.driver import PowerInterface
from jumpstarter_driver_pyserial.driver import PySerial

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.hil import bench, board, console, opening

T = TypeVar("T")


class Held:
    """A board that one call at a time may use: jumpstarter makes each on a thread of its own.

    Args:
        board: not started.
    """

    def __init__(self, board: board.Board):
        self._board = board
        self._lock = threading.Lock()

    def do(self, work: Callable[[board.Board], T]) -> T:
        """Do something with the board while nobody else does.

        Args:
            work: what.

        Raises:
            RuntimeError: with what was wrong, the board's traceback too, in words: jumpstarter carries no more.
        """
        with self._lock:
            try:
                return work(self._board)
            except TargetError as error:
                raise RuntimeError(f"{error}\n{error.traceback}".strip()) from error
            except KittiwakeError as error:
                raise RuntimeError(str(error)) from error


@dataclass(kw_only=True)
class Power(PowerInterface, Driver):
    """A board's power, as jumpstarter's own power drivers have it.

    Args:
        held: the board.
    """

    held: Held

    @export
    def on(self) -> None:
        """Start the board, or give it its power back. It boots to its prompt, main.py held back."""
        self.held.do(lambda board: board.start())

    @export
    def off(self) -> None:
        """Cut the power at this instant; files stay."""
        self.held.do(lambda board: board.cut_power())

    @export
    def read(self) -> Generator[Any, None, None]:
        """Nothing measures it."""
        raise NotImplementedError("nothing measures this board's supply")


@dataclass(kw_only=True)
class Serial(PySerial):
    """A board's console: each connection takes it, and `exec` takes it back.

    Args:
        held: the board.
    """

    url: str = ""
    check_present: bool = False  # there is no port before there is a board
    held: Held

    @exportstream
    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[Any, None]:
        """Lend the console, at its friendly prompt, and open it."""
        self.url = await to_thread.run_sync(self.held.do, console.lend)
        async with super().connect() as stream:
            yield stream


@dataclass(kw_only=True)
class Board(Driver):
    """A board: unix, an emulated one, one on a port, or one of the bench.

    Args:
        board: its name, as `pytest --board` takes it.
        bench: path of bench.toml; "" for none.
        wait_s: how long to wait for one that others have.
    """

    board: str
    bench: str = ""
    wait_s: float = 60.0

    @classmethod
    def client(cls) -> str:
        """Name the client."""
        return "kittiwake.hil.jumpstarter.client.BoardClient"

    def __post_init__(self) -> None:
        """Make the board; nothing is started yet."""
        super().__post_init__()
        described = bench.read(Path(self.bench)) if self.bench else bench.Bench()
        self._held = Held(opening.open_board(self.board, described, self.wait_s))
        self.children["power"] = Power(held=self._held)
        self.children["serial"] = Serial(held=self._held)

    @export
    def exec(self, code: str, timeout_s: float) -> str:
        """Run Python source at the board's prompt; see `kittiwake.hil.Board.exec`."""

        def run(board: board.Board) -> str:
            board.start()  # which takes the console back
            return board.exec(code, timeout_s)

        return self._held.do(run)

    @export
    def deploy(self, files: dict[str, str]) -> None:
        """Write files to the board: path -> content, in base64."""
        self._held.do(lambda board: board.deploy({path: base64.b64decode(text) for path, text in files.items()}))

    @export
    def reset(self) -> None:
        """Boot the board anew, main.py held back."""
        self._held.do(lambda board: board.reset())

    def close(self) -> None:
        """End what was started."""
        super().close()
        self._held.do(lambda board: board.stop())
