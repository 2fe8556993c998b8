"""The client: what a test or a shell on any machine asks of a board behind an exporter.

Knows the driver's calls only.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from jumpstarter.client import DriverClient
from jumpstarter.client.decorators import driver_click_group

from kittiwake.hil import values
from kittiwake.hil.files import contents


class BoardClient(DriverClient):
    """A board behind an exporter. Its children: `power` (on, off, cycle) and `serial` (a console for pexpect)."""

    def exec(self, code: str, timeout_s: float = 10.0) -> str:
        """Run Python source at its prompt, starting it where it is off; its globals stay until the next reset.

        Args:
            code: source, in the board's Python.
            timeout_s: seconds after which it is taken to hang.

        Returns:
            What it printed. What it raised comes as jumpstarter's DriverError, with the board's traceback.
        """
        return str(self.call("exec", code, timeout_s))

    def eval(self, expression: str, timeout_s: float = 10.0) -> Any:
        """Work an expression out on the board.

        Args:
            expression: in the board's Python.
            timeout_s: as of `exec`.

        Returns:
            Its value: numbers, texts, bytes, booleans, None, and tuples, lists, dicts and sets of these.
        """
        return values.value(expression, self.exec(values.question(expression), timeout_s))

    def deploy(self, files: Mapping[str, bytes | str] | str | Path) -> None:
        """Write files to the board, those only that differ.

        Args:
            files: path on the board -> content; or a folder of this machine, which the board's root is to hold.
        """
        self.call("deploy", {path: base64.b64encode(data).decode() for path, data in contents(files).items()})

    def reset(self) -> None:
        """Boot it anew, main.py held back; its files stay."""
        self.call("reset")

    def __getattr__(self, name: str) -> Any:
        """Give a child by its name, as jumpstarter's composite clients do."""
        try:
            return self.__dict__["children"][name]
        except KeyError:
            raise AttributeError(f"a board has no {name}") from None

    def cli(self) -> click.Group:
        """Make the commands of jumpstarter's shell, `j BOARD exec …`."""

        @driver_click_group(self)
        def base() -> None:
            """A board with MicroPython."""

        @base.command()
        @click.argument("code")
        def exec(code: str) -> None:
            """Run Python source at its prompt."""
            click.echo(self.exec(code), nl=False)

        @base.command()
        @click.argument("folder")
        def deploy(folder: str) -> None:
            """Write a folder's files to it."""
            self.deploy(folder)

        @base.command()
        def reset() -> None:
            """Boot it anew."""
            self.reset()

        for name, child in self.children.items():
            base.add_command(child.cli(), name)
        return base
