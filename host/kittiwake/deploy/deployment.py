"""Deploying, from the configuration to a node that answers: the order of it, and the way back.

Knows targets, slots and how a node says that it is there; not what a node does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NoReturn, TypedDict

import kittiwake
from kittiwake import board_code
from kittiwake.deploy import choose, inputs, starting
from kittiwake.deploy.inputs import Deployment
from kittiwake.deploy.slots import Slots
from kittiwake.errors import KittiwakeError, PortLostError, TargetError, UsageError, VerificationError
from kittiwake.target import mpy, open_target
from kittiwake.target.base import NodeConfig, Target

_LOAD_S = 60.0
_UNTOUCHED = "nothing on the board was changed"
_AGAIN = "run the same command again"

Progress = Callable[[str], None]


def deploy(deployment: Deployment, progress: Progress) -> Reported:
    """Deploy, verify, switch, and ask whether the node runs.

    Args:
        deployment: what and where to.
        progress: told one line at a time.

    Returns:
        What was done.

    Raises:
        ConfigError: the configuration, or the board's MicroPython or architecture.
        VerificationError: what was read back differs, or the node does not run: the old application does again.
        KittiwakeError: of ports, tools and the board; the message says what is on the board then.
        KeyboardInterrupt: what that left was told.
    """
    begun = time.monotonic()
    config = inputs.read_config(deployment)
    models = inputs.read_models(deployment.models)
    try:
        mpy.check_compiler()  # before a node is stopped for it
    except KittiwakeError as error:
        raise error.with_note(_UNTOUCHED) from error
    options = {"link": deployment.link} if deployment.link else {}
    with open_target(deployment.target, **options) as board:
        done = deploy_to(board, deployment, config, models, kittiwake.firmware_files(), progress)
    return {"target": deployment.target, **done, "seconds": round(time.monotonic() - begun, 1)}


def deploy_to(
    board: Target,
    deployment: Deployment,
    config: NodeConfig | None,
    models: Mapping[str, bytes],
    firmware: Mapping[str, bytes],
    progress: Progress,
) -> Deployed:
    """As `deploy`, to a started target.

    Args:
        board: at its prompt.
        deployment: as `deploy` takes it.
        config: of the node; None for the one that is on the board.
        models: file name -> plan.
        firmware: path -> source, main.py among them.
        progress: told one line at a time.
    """
    run = _Run(board, deployment, progress)
    try:
        run.install(config, models, firmware)
    except KeyboardInterrupt:
        progress(f"interrupted; {run.left}; {run.resume()}; {_AGAIN}")
        raise
    except PortLostError as error:
        mend = f"plug it in, then {_AGAIN}; till then a reset starts what it has"
        raise error.with_note(run.left, mend) from error
    except KittiwakeError as error:
        raise error.with_note(f"{run.left}; {run.resume()}") from error
    if not deployment.start:
        return {**run.done, "state": "ready" if run.changed else "unchanged"}
    try:
        return {**run.done, "state": run.start()}
    except KeyboardInterrupt:
        progress(f"interrupted; {run.left}, and was told to run it; {_AGAIN}, to see whether it does")
        raise


class Installed(TypedDict):
    """What was installed: the slot, the paths that were written, and how many files the application has."""

    slot: str
    changed: list[str]
    files: int


class Deployed(Installed):
    """A deployment's end.

    `state` is "running", "unchanged" when nothing was written and nothing started, or "ready" when it was not to be
    started.
    """

    state: str


class Reported(Deployed):
    """The same with the target's name and how long it took."""

    target: str
    seconds: float


class _Run:
    """One deployment.

    Attributes:
        left: what is on the board if it ends here.
        changed: paths written.
        done: slot, changed, files.
    """

    def __init__(self, board: Target, deployment: Deployment, progress: Progress):
        self._board, self._deployment, self._progress = board, deployment, progress
        self._config: NodeConfig = {}
        self._old_config: NodeConfig = {}
        self._old: str | None = None
        self._is_new = False
        self.left = _UNTOUCHED
        self.changed: list[str] = []
        self.done: Installed = {"slot": "", "changed": self.changed, "files": 0}

    def install(self, config: NodeConfig | None, models: Mapping[str, bytes], firmware: Mapping[str, bytes]) -> None:
        """Write the application to the slot that does not run, have the board try it, and switch; see `deploy_to`."""
        board = self._board
        # What ran until now has files open, or an earlier deployment that lost its port: they are closed so, not later.
        board.reboot()
        facts = board.facts()
        inputs.check_board(self._deployment, facts, self._progress)
        slots = Slots(board)
        self._old = active = slots.active
        kept_settings = slots.read(f"{active}/node.json") if active else None
        self._old_config = inputs.read_old(kept_settings)
        if config is not None:
            kept_settings = None
        if config is None:
            if kept_settings is None:
                raise UsageError("the board has no configuration to keep", "give one with --config")
            config = inputs.read_kept(kept_settings)
        else:
            of_board = {**inputs.of_chip(facts), **inputs.of_board(self._deployment.board)}
            config = {**board.node_overrides(), **of_board, **config}
        self._config = config
        application = mpy.compile_files(choose.files(firmware, config), facts["arch"] or "", facts["cpu"])
        # Models that were deployed before go on with the next application, where it still listens for them.
        there = {f"{active}/{name}": name for name in choose.named_models(config, active) - set(models)}
        kept_models = {there[path]: digest for path, digest in slots.hashes(there).items()} if active else {}

        def content(slot: str) -> dict[str, bytes]:
            if kept_settings is not None and slot == active:
                settings = kept_settings
            else:
                settings = choose.settings(config, slot, {*models, *kept_models}, active)
            return {**application, **models, "node.json": settings}

        if active is None or slots.differing(active, content(active), kept_models):
            brought = {name: slots.fetch(f"{active}/{name}") for name in kept_models}
            self._fill(slots, {**brought, **content(slots.free)})
        if slots.differing("", {"main.py": firmware["main.py"]}):
            slots.replace("main.py", firmware["main.py"])
            self.changed.append("main.py")
        self.done = {
            "slot": slots.active or "",
            "changed": self.changed,
            "files": len(application) + len(models) + len(kept_models) + 2,  # node.json, main.py
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
            return self._board.exec(
                board_code.source("deploy/node") + board_code.call("print_refusal", slot), _LOAD_S
            ).strip()
        except PortLostError:
            raise
        except KittiwakeError as error:
            return error.message

    def resume(self) -> str:
        """Restart the board with what it has, where it is to run; tells what came of it."""
        if not self._deployment.start:
            return "it is at its prompt"
        try:
            self._board.interrupt()
            self._board.start_node()
        except KittiwakeError:
            return "reset it to have it run"
        return "it was restarted"

    def start(self) -> str:
        """Start the node and see whether it runs; go back to the old application when the new one does not.

        Returns:
            "running".

        Raises:
            VerificationError: it does not run.
        """
        self._progress("starting the node")
        self._board.start_node(watch=True)
        try:
            running = starting.wait(self._board, self._config)
        except PortLostError:
            raise
        except KittiwakeError as error:
            self._take_back(error)
        if not running.answers:
            self._progress(f"{running.device} runs; whether its link ({running.kind}) leads anywhere shows at its end")
        return "running"

    def _take_back(self, error: KittiwakeError) -> NoReturn:
        why = error.last_line if isinstance(error, TargetError) else error.message
        if not self._is_new:
            raise VerificationError(
                f"the application is as it should be, and its node does not run: {why}", error.mend
            ) from error
        try:
            self._board.interrupt()
            Slots(self._board).clear(self.done["slot"])  # the journal may need the room to start again
            self._board.start_node(watch=True)
        except KittiwakeError as second:
            why = f"the new application does not run ({why}), and the board cannot be taken back: {second.message}"
            raise VerificationError(f"{why}; {self.left}", f"reset the board, then {_AGAIN}") from error
        raise VerificationError(f"the new application does not run: {why}; {self._what_runs()}", error.mend) from error

    def _what_runs(self) -> str:
        if not self._old:
            self._board.release_console()
            return "nothing was there before, and nothing runs now"
        try:
            starting.wait(self._board, self._old_config)
        except KittiwakeError as error:
            return f"{self._old} was started again, and does not run either: {error.message}"
        return f"{self._old} runs again"
