"""pytest-embedded's `dut` on a board of this project: `pytest --embedded-services kittiwake --board qemu:virt`.

The plugin registers this module when that service is asked for. Knows pytest-embedded's fixtures and a board's console.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_embedded import Dut
from pytest_embedded.utils import SERVICE_LIB_NAMES

from kittiwake.errors import KittiwakeError
from kittiwake.hil.board import Board
from kittiwake.hil.console import Console

SERVICE = "kittiwake"
_LOOK_S = 0.05


def is_asked_for(services: str | None) -> bool:
    """Whether pytest-embedded's option or fixture `embedded_services` names this service.

    Args:
        services: as it is given: names with commas between them.
    """
    return SERVICE in [service.strip() for service in (services or "").split(",")]


def register() -> None:
    """Enter the service into those that pytest-embedded knows, each by the package that has to be installed for it."""
    SERVICE_LIB_NAMES.setdefault(SERVICE, "kittiwake")


class BoardDut(Dut):
    """A board whose console pytest-embedded writes to and expects from.

    Args:
        board: started.
        arguments: of `pytest_embedded.Dut`.
    """

    def __init__(self, board: Board, **arguments: Any):
        super().__init__(**arguments)
        self._board = board
        self._take()

    def write(self, s: str | bytes) -> None:
        """Write to the console.

        Args:
            s: bytes as they are; a text is a line, which gets its end where it has none.
        """
        if isinstance(s, str):
            s = s.rstrip("\r\n").encode() + b"\r"
        self._console.write(s)

    def run_main(self) -> None:
        """Restart the interpreter, so that the board runs its main.py."""
        self._console.run_main()

    @contextmanager
    def board(self) -> Generator[Board, None, None]:
        """Give the board for what is no text, such as its power; the console is its own meanwhile."""
        self._part()
        try:
            yield self._board
        finally:
            self._take()

    def close(self) -> None:
        """Give the console back, and boot the board anew."""
        self._part()
        self._board.reset()
        super().close()

    def _take(self) -> None:
        self._console = Console(self._board)
        self._must_end = threading.Event()
        self._reader = threading.Thread(target=self._pass_on, name="kittiwake-dut", daemon=True)
        self._reader.start()

    def _part(self) -> None:
        self._must_end.set()
        self._reader.join()
        self._console.close()

    def _pass_on(self) -> None:
        while not self._must_end.is_set():
            try:
                self._q.put(self._console.read(_LOOK_S))
            except KittiwakeError as error:  # the board is gone: the test misses what it expects, and sees this
                self._q.put(f"\r\n{error}\r\n")
                return


@pytest.fixture
def dut(dut: Any, board: Board, embedded_services: Any, app_path: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """pytest-embedded's `dut` on a board of `--board`; with `--app-path`, that folder is on it, and main.py runs."""
    if not isinstance(dut, Dut):
        pytest.fail(f"the service {SERVICE} gives a test one board: leave out --count", pytrace=False)
    if not is_asked_for(embedded_services):
        yield dut
        return
    has_app = request.config.getoption("app_path") or "app_path" in getattr(request.node, "callspec", _NoCall).params
    try:
        if has_app:
            board.deploy(app_path)
        one = BoardDut(
            board,
            pexpect_proc=dut.pexpect_proc,
            msg_queue=dut._q,
            app=dut.app,
            pexpect_logfile=dut.logfile,
            test_case_name=dut.test_case_name,
            meta=dut._meta,
        )
    except KittiwakeError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        if has_app:
            one.run_main()
        yield one
    finally:
        one.close()


class _NoCall:
    params: dict[str, Any] = {}
