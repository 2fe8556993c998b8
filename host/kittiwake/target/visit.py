"""A visit to a board on a port: the firmware and what tests bring are put on it, and taken off it in the end.

Knows files on a board; what is brought, and what its code makes, is the visitor's business. The board's own main.py,
its slots and its journal are out of the way meanwhile. A visit that was cut short is ended by the next one, from a list
on the board.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kittiwake import board_code
from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.target.base import NodeConfig, Target, is_port, open_target
from kittiwake.target.port import PortTarget
from kittiwake.target.power import PowerSwitch

_JOURNAL = "kittiwake-visit"
# What makes main.py run another application, or lays another's settings over it.
_OUT_OF_THE_WAY = ("app-a/ready", "app-b/ready", "provision.json")
_PATHS_A_CALL = 16
_TIMEOUT_S = 120.0


class VisitingTarget(PortTarget):
    """A board on a port that is left as it was found: `stop` takes off what was put on it, and restarts it.

    Args:
        name: as of `PortTarget`.
        power: likewise.
    """

    def __init__(self, name: str, power: PowerSwitch | None = None):
        super().__init__(name, power=power)
        self._is_visiting = False
        self._announced: set[str] = set()
        self._is_loaded = False

    def start(self) -> None:
        """As `PortTarget.start`; the first one begins the visit."""
        super().start()
        if not self._is_visiting:
            self._tell("end_visit")  # of one that was cut short
            self._tell("note_what_is_there")
            self._is_visiting = True
            self._announce(_OUT_OF_THE_WAY)
            self._tell("announce_folder", _JOURNAL)

    def before_writing(self, paths: Collection[str]) -> None:
        """Set aside what is about to be replaced, and note what is new."""
        self._announce(paths)

    def run_node(self, config: NodeConfig, watch: bool = False) -> None:
        """As `PortTarget.run_node`; a node.json of the board's own is set aside."""
        self.start()
        self._announce(["node.json"])
        super().run_node(config, watch)

    def start_node(self, watch: bool = False) -> None:
        """As `PortTarget.start_node`."""
        self._is_loaded = False
        super().start_node(watch)

    def reboot(self) -> None:
        """As `PortTarget.reboot`."""
        self._is_loaded = False
        super().reboot()

    def cut_power(self) -> None:
        """As `PortTarget.cut_power`; the visit goes on when the board has power again."""
        self._is_loaded = False
        super().cut_power()

    def node_overrides(self) -> NodeConfig:
        """As `PortTarget.node_overrides`; a journal in a folder is not the board's own."""
        overrides = super().node_overrides()
        if overrides["storage"]["kind"] == "folder":
            overrides["storage"]["path"] = _JOURNAL
        return overrides

    def stop(self) -> None:
        """End the visit, and restart a board that has a main.py of its own. Idempotent.

        Raises:
            TargetError: the board could not be left as it was found; the next visit tries again.
        """
        if not self._is_visiting:
            super().stop()
            return
        self._is_visiting = False
        try:
            self.reboot()
            self._tell("end_visit")
            self._announced.clear()
            if self.exec("import os; print('main.py' in os.listdir())").strip() == "True":
                self.start_node()
        except KittiwakeError as error:
            why = f"{self.name} was not left as it was found: {error.message}"
            raise TargetError(why, "run the tests again, or see visit.txt on it") from error
        finally:
            super().stop()

    def _announce(self, paths: Collection[str]) -> None:
        new = [path for path in paths if path not in self._announced]
        for at in range(0, len(new), _PATHS_A_CALL):
            self._tell("announce", new[at : at + _PATHS_A_CALL])
        self._announced.update(new)

    def _tell(self, function: str, *arguments: object) -> None:
        if not self._is_loaded:
            self.exec(board_code.source("target/visit"), _TIMEOUT_S)
            self._is_loaded = True
        self.exec(board_code.call(function, *arguments), _TIMEOUT_S)


def open_visited(name: str, power: PowerSwitch | None = None, **options: Any) -> Target:
    """Make the target of that name; a board on a port is one that is left as it was found.

    Args:
        name: as `open_target` takes it.
        power: what the supply of a board on a port hangs on; None for nothing.
        options: as `open_target` passes them on to a target that is no port.

    Raises:
        UsageError: no target has that name.
    """
    return VisitingTarget(name, power) if is_port(name) else open_target(name, **options)
