"""Deploying, from the configuration to a node that answers: the order of it, and the way back.

Knows targets, slots and how a node says that it is there; not what a node does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import kittiwake
from kittiwake import boards, node_config, survey
from kittiwake.deploy import choose
from kittiwake.deploy.slots import Slots
from kittiwake.errors import ConfigError, KittiwakeError, UsageError, VerificationError
from kittiwake.target import available, mpy, open_target
from kittiwake.target.base import Target

_OLDEST, _NEWEST = (1, 24), (1, 29)
_HEALTH_S = 30.0
_LOAD_S = 60.0
_LOAD = """
import sys
sys.path.insert(0, {slot!r})
from kittiwake_node import node as _kw_node
print(_kw_node.refusal(_kw_node.read_file({slot!r} + "/node.json")))
"""


@dataclass(frozen=True)
class Job:
    """What is to be deployed.

    Args:
        target: a port, or the name of a target.
        board: as `kittiwake boards` lists it, for the places of link and journal; "" for the target's own.
        config: TOML; None to keep what the board has.
        models: plans that go with the application.
        start: start the node afterwards, and go back when it does not answer.
        link: the port of the link, when it is not the console's.
    """

    target: str
    board: str = ""
    config: Path | None = None
    models: tuple[Path, ...] = field(default=())
    start: bool = True
    link: str | None = None


def deploy(job: Job, progress: Callable[[str], None]) -> dict:
    """Deploy, verify, switch, and ask whether the node runs.

    Args:
        job: what and where to.
        progress: told one line at a time.

    Returns:
        target, slot, changed (paths written), files, seconds, state ("running", "started", "unchanged" when nothing
        was written and nothing started, "ready" when not asked to start it).

    Raises:
        ConfigError: the configuration, or the board's MicroPython or architecture.
        VerificationError: what was read back differs, or the node does not run: the old application does again.
        KittiwakeError: of ports, tools and the board.
    """
    begun = time.monotonic()
    config = _read_config(job)
    models = _read_models(job.models)
    options = {"link": job.link} if job.link else {}
    with open_target(job.target, **options) as board:
        done = deploy_to(board, job, config, models, kittiwake.firmware_files(), progress)
    return {"target": job.target, **done, "seconds": round(time.monotonic() - begun, 1)}


def deploy_to(
    board: Target,
    job: Job,
    config: dict | None,
    models: Mapping[str, bytes],
    firmware: Mapping[str, bytes],
    progress: Callable[[str], None],
) -> dict:
    """As `deploy`, to a started target.

    Args:
        board: at its prompt.
        job: as `deploy` takes it.
        config: of the node; None for the one that is on the board.
        models: file name -> plan.
        firmware: path -> source, main.py among them.
        progress: told one line at a time.
    """
    facts = board.facts()
    _check_board(job, facts)
    slots = Slots(board)
    kept = slots.read(f"{slots.active}/node.json") if config is None and slots.active else None
    if config is None and kept is None:
        raise UsageError("the board has no configuration to keep", "give one with --config")
    if config is None:
        config = _kept_config(kept)
    else:
        config = {**board.node_overrides(), **_of_board(job.board), **config}
    application = mpy.compile_files(choose.files(firmware, config), facts["arch"])

    def content(slot: str) -> dict[str, bytes]:
        text = kept if kept is not None and slot == slots.active else choose.settings(config, slot, models)
        return {**application, **models, "node.json": text}

    main = {"main.py": firmware["main.py"]}
    changed: list[str] = []
    active = slots.active
    is_same = active is not None and not slots.differing(active, content(active))
    if not is_same:
        target = slots.free
        progress(f"writing what changed to {target}")
        changed = slots.write(target, content(target), lambda at, of: progress(f"file {at} of {of}"))
        # The interpreter has modules of what it ran until now; only a fresh one tries those of the slot.
        board.reboot()
        slots.renew()
        reason = _refusal(board, target)
        if reason:
            raise VerificationError(f"the new application does not start: {reason}", "the board still has the old one")
        slots.switch(target)
    if slots.differing("", main):
        slots.replace("main.py", main["main.py"])
        changed.append("main.py")
    done = {"slot": slots.active, "changed": changed, "files": len(application) + len(models) + 1}
    if not job.start:
        return {**done, "state": "ready" if changed else "unchanged"}
    progress("starting the node")
    board.start_node()
    state = _health(board, job, config)
    if state is None and not is_same:
        board.interrupt()
        Slots(board).withdraw(done["slot"])
        board.start_node()
        was = f"{active} runs again" if active else "nothing was there before, and nothing runs now"
        raise VerificationError(f"the new application does not answer; {was}", "its console says why")
    if state is None:
        raise VerificationError("the application is as it should be, and its node does not answer", "look at the link")
    return {**done, "state": state}


def _kept_config(text: bytes) -> dict:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the board's configuration cannot be read: {error}", "give one with --config") from error


def _read_config(job: Job) -> dict | None:
    if job.config is None:
        return None
    config = node_config.read(job.config)
    # Where the firmware runs on this machine it judges its own configuration before a port is opened; elsewhere the
    # board does, before it is switched.
    if available("unix") is None:
        with open_target("unix") as judge:
            node_config.checked(judge, config)
    return config


def _read_models(paths: tuple[Path, ...]) -> dict[str, bytes]:
    models = {}
    for path in paths:
        try:
            models[path.name] = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", "name a .kwm file") from error
    return models


def _check_board(job: Job, facts: dict) -> None:
    version = tuple(int(part) for part in facts["implementation"].split()[-1].split(".")[:2])
    if version < _OLDEST:
        told = ".".join(map(str, version))
        raise ConfigError(
            f"the board runs MicroPython {told}; 1.24 to 1.29 are supported", "flash a later one: `kittiwake flash`"
        )
    if job.board:
        wanted = boards.find(job.board).mpy_arch
        if facts["arch"] != wanted:
            raise ConfigError(
                f"the board on {job.target} is {facts['arch'] or 'without native code'}, {job.board} is {wanted}",
                "name the board that is there, or its port",
            )


def _of_board(name: str) -> dict:
    if not name:
        return {}
    board = boards.find(name)
    storage = {"kind": board.journal.kind}
    if board.journal.path is not None:
        storage["path"] = board.journal.path
    return {"link": {"kind": board.link.kind}, "storage": storage}


def _refusal(board: Target, slot: str) -> str:
    try:
        return board.exec(_LOAD.format(slot=slot), _LOAD_S).strip()
    except KittiwakeError as error:
        return error.message


def _health(board: Target, job: Job, config: dict) -> str | None:
    """Whether the node says who it is; "started" where its link is not one that can be asked; None when it is gone."""
    deadline = time.monotonic() + _HEALTH_S
    link = config.get("link", {})
    kind = link.get("kind", "stdio") if isinstance(link, dict) else link
    if kind == "mqtt" or (kind != "stdio" and job.link is None and type(board).__name__ == "PortTarget"):
        return "started"
    while time.monotonic() < deadline:
        if survey.ask_port(board.link_port).state == "node":
            return "running"
        board.check_running()
    return None
