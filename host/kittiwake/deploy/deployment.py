"""Deploying, from the configuration to a node that answers: the order of it, and the way back.

Knows targets, slots and how a node says that it is there; not what a node does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import kittiwake
from kittiwake.deploy import choose, job
from kittiwake.deploy.job import Job
from kittiwake.deploy.slots import Slots
from kittiwake.errors import KittiwakeError, PortLostError, UsageError, VerificationError
from kittiwake.ports import survey
from kittiwake.target import mpy, open_target
from kittiwake.target.base import Target

_HEALTH_S = 30.0
_LOAD_S = 60.0
_AGAIN = "run the same command again"
_LOAD = """
import sys
sys.path.insert(0, {slot!r})
from kittiwake_node import node as _kw_node
print(_kw_node.refusal(_kw_node.read_file({slot!r} + "/node.json")))
"""

Progress = Callable[[str], None]


def deploy(asked: Job, progress: Progress) -> dict:
    """Deploy, verify, switch, and ask whether the node runs.

    Args:
        asked: what and where to.
        progress: told one line at a time.

    Returns:
        target, slot, changed (paths written), files, seconds, state ("running", "started", "unchanged" when nothing
        was written and nothing started, "ready" when not asked to start it).

    Raises:
        ConfigError: the configuration, or the board's MicroPython or architecture.
        VerificationError: what was read back differs, or the node does not run: the old application does again.
        KittiwakeError: of ports, tools and the board; the message says what is on the board then.
        KeyboardInterrupt: what that left was told.
    """
    begun = time.monotonic()
    config = job.read_config(asked)
    models = job.read_models(asked.models)
    options = {"link": asked.link} if asked.link else {}
    with open_target(asked.target, **options) as board:
        done = deploy_to(board, asked, config, models, kittiwake.firmware_files(), progress)
    return {"target": asked.target, **done, "seconds": round(time.monotonic() - begun, 1)}


def deploy_to(
    board: Target,
    asked: Job,
    config: dict | None,
    models: Mapping[str, bytes],
    firmware: Mapping[str, bytes],
    progress: Progress,
) -> dict:
    """As `deploy`, to a started target.

    Args:
        board: at its prompt.
        asked: as `deploy` takes it.
        config: of the node; None for the one that is on the board.
        models: file name -> plan.
        firmware: path -> source, main.py among them.
        progress: told one line at a time.
    """
    run = _Run(board, asked, progress)
    try:
        run.install(config, models, firmware)
    except KeyboardInterrupt:
        progress(f"interrupted; {run.left}; {run.resume()}; {_AGAIN}")
        raise
    except PortLostError as error:
        mend = f"plug it in, then {_AGAIN}; till then a reset starts what it has"
        raise PortLostError(f"{error.message}; {run.left}", mend) from error
    except KittiwakeError as error:
        error.message = f"{error.message}; {run.left}; {run.resume()}"
        raise
    if not asked.start:
        return {**run.done, "state": "ready" if run.changed else "unchanged"}
    try:
        return {**run.done, "state": run.start()}
    except KeyboardInterrupt:
        progress(f"interrupted; {run.left}, and was told to run it; {_AGAIN}, to see whether it does")
        raise


class _Run:
    """One deployment.

    Attributes:
        left: what is on the board if it ends here.
        changed: paths written.
        done: slot, changed, files.
    """

    def __init__(self, board: Target, asked: Job, progress: Progress):
        self._board, self._job, self._progress = board, asked, progress
        self._config: dict = {}
        self._old: str | None = None
        self._is_new = False
        self.left = "nothing on the board was changed"
        self.changed: list[str] = []
        self.done: dict = {}

    def install(self, config: dict | None, models: Mapping[str, bytes], firmware: Mapping[str, bytes]) -> None:
        """Write the application to the slot that does not run, have the board try it, and switch; see `deploy_to`."""
        board = self._board
        # What ran until now has files open, or an earlier deployment that lost its port: they are closed so, not later.
        board.reboot()
        facts = board.facts()
        job.check_board(self._job, facts, self._progress)
        slots = Slots(board)
        self._old = active = slots.active
        kept = slots.read(f"{active}/node.json") if config is None and active else None
        if config is None and kept is None:
            raise UsageError("the board has no configuration to keep", "give one with --config")
        if config is None:
            config = job.read_kept(kept)
        else:
            config = {**board.node_overrides(), **job.of_board(self._job.board), **config}
        self._config = config
        application = mpy.compile_files(choose.files(firmware, config), facts["arch"])
        # Models that were deployed before go on with the next application, where it still listens for them.
        there = {f"{active}/{name}": name for name in choose.named_models(config, active) - set(models)}
        known = {there[path]: digest for path, digest in slots.hashes(there).items()} if active else {}

        def content(slot: str) -> dict[str, bytes]:
            is_kept = kept is not None and slot == active
            text = kept if is_kept else choose.settings(config, slot, {*models, *known}, active)
            return {**application, **models, "node.json": text}

        if active is None or slots.differing(active, content(active), known):
            brought = {name: slots.fetch(f"{active}/{name}") for name in known}
            self._fill(slots, {**brought, **content(slots.free)})
        if slots.differing("", {"main.py": firmware["main.py"]}):
            slots.replace("main.py", firmware["main.py"])
            self.changed.append("main.py")
        self.done = {
            "slot": slots.active,
            "changed": self.changed,
            "files": len(application) + len(models) + len(known) + 1,
        }

    def _fill(self, slots: Slots, files: Mapping[str, bytes]) -> None:
        target = slots.free
        slots.check_room(files)
        self._progress(f"writing what changed to {target}")
        old = f"still has the old application, {self._old}" if self._old else "has no application yet"
        self.left = f"the board {old}"
        self.changed += slots.write(target, files, lambda at, of: self._progress(f"file {at} of {of}"))
        # The interpreter has modules of what it ran until now; only a fresh one tries those of the slot.
        self._board.reboot()
        slots.renew()
        reason = self._refusal(target)
        if reason:
            raise VerificationError(f"the new application does not start: {reason}", "its configuration or files")
        slots.switch(target)
        self._is_new = True
        self.left = f"the board has the new application, {target}"

    def _refusal(self, slot: str) -> str:
        try:
            return self._board.exec(_LOAD.format(slot=slot), _LOAD_S).strip()
        except PortLostError:
            raise
        except KittiwakeError as error:
            return error.message

    def resume(self) -> str:
        """Restart the board with what it has, where it is to run; tells what came of it."""
        if not self._job.start:
            return "it is at its prompt"
        try:
            self._board.interrupt()
            self._board.start_node()
        except KittiwakeError:
            return "reset it to have it run"
        return "it was restarted"

    def start(self) -> str:
        """Start the node and see whether it answers; go back to the old application when the new one does not.

        Returns:
            "running", or "started" where it cannot be asked.

        Raises:
            VerificationError: it does not answer.
        """
        self._progress("starting the node")
        self._board.start_node()
        state = _health(self._board, self._job, self._config)
        if state is not None:
            return state
        if not self._is_new:
            raise VerificationError(
                "the application is as it should be, and its node does not answer", "look at the link"
            )
        try:
            self._board.interrupt()
            Slots(self._board).clear(self.done["slot"])  # the journal may need the room to start again
            self._board.start_node()
        except KittiwakeError as error:
            told = f"the new application does not answer, and the board cannot be taken back: {error.message}"
            raise VerificationError(f"{told}; {self.left}", f"reset the board, then {_AGAIN}") from error
        was = f"{self._old} runs again" if self._old else "nothing was there before, and nothing runs now"
        raise VerificationError(f"the new application does not answer; {was}", "its console says why")


def _health(board: Target, asked: Job, config: dict) -> str | None:
    """Whether the node says who it is; "started" where its link is not one that can be asked; None when it is gone."""
    link = config.get("link", {})
    kind = link.get("kind", "stdio") if isinstance(link, dict) else link
    if kind == "mqtt" or (kind != "stdio" and asked.link is None and type(board).__name__ == "PortTarget"):
        return "started"
    return "running" if survey.wait_for_node(board.link_port, _HEALTH_S, board.check_running) else None
