"""Facts about a board, each asked for by itself, so that one that cannot be had does not keep the others from being.

Knows code that runs at a board's prompt and what it prints; judges nothing. Between groups of questions the board is
rebooted: a small heap does not hold everything that is asked with.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from kittiwake import board_code
from kittiwake.deploy import application, provision, starting
from kittiwake.deploy.slots import NAMES, Slots
from kittiwake.doctor.facts import (
    ApplicationFacts,
    BoardFacts,
    ChannelFacts,
    ClockFacts,
    ConfigurationFacts,
    Failure,
    JournalFacts,
    LinkFacts,
    SystemFacts,
)
from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.target.base import Target

T = TypeVar("T")

_CLOCK_S = 2.0
_SENSOR_MS = 1000
_ANSWER_S = 120.0


def ask(board: Target, is_port: bool, trial: dict[str, Any] | None, progress: Callable[[str], None]) -> BoardFacts:
    """Ask a board everything, last whether its node runs.

    Args:
        board: started, at its prompt.
        is_port: whether it is a board on a port, which is to run its own node in the end; else its end is the target's.
        trial: a node's configuration to try in place of the one on the board; None for that.
        progress: told one line at a time.

    Returns:
        The facts; those that depend on something that is not there are left out.
    """
    progress("asking the system")
    facts: BoardFacts = {"system": _answer(lambda: _system(board))}
    facts["clock"] = _answer(lambda: _clock(board))
    progress("looking at the application")
    installed, installed_config = _installed(board)
    facts["application"] = installed
    facts["configuration"] = None
    config = trial or installed_config
    if config is None or "error" in installed:
        return facts
    config = {**board.node_overrides(), **config}
    facts["configuration"] = checked = _answer(lambda: _configuration(board, config))
    facts["provisioned"] = _answer(lambda: provision.read(board))
    progress("opening the journal")
    facts["journal"] = _answer(lambda: _journal(board, config.get("storage", {})))
    if "error" in checked or not checked["refused"]:
        facts["channels"] = []
        for number in range(len(config["channels"])):
            progress(f"listening to channel {number}")
            facts["channels"].append(_answer(functools.partial(_sensor, board, config, number)))
    # A trial is started on a target only: a port's board starts with what it has.
    started = installed_config if is_port else config
    if started is not None and ("error" in checked or is_port or not checked["refused"]):
        progress("starting the node")
        facts["link"] = _answer(lambda: _link(board, started, is_port))
    return facts


def _answer(question: Callable[[], T]) -> T | Failure:
    try:
        return question()
    except TargetError as error:
        return {"error": error.last_line}
    except KittiwakeError as error:
        return {"error": str(error)}


def _system(board: Target) -> SystemFacts:
    return cast(SystemFacts, {**board.facts(), **json.loads(_run(board, "doctor/system", "print_system"))})


def _clock(board: Target) -> ClockFacts:
    """How far the board's milliseconds run from this machine's, and whether it knows the time of day."""
    board.exec(board_code.source("doctor/clock"))
    before = _ticks(board)
    while time.monotonic() - before[0] < _CLOCK_S:
        time.sleep(0.05)
    after = _ticks(board)
    seconds = (after[1] - before[1] & 0x3FFFFFFF) / 1000
    passed = (after[0] + after[2]) / 2 - (before[0] + before[2]) / 2
    doubt = ((after[2] - after[0]) + (before[2] - before[0])) / 2 + 0.001
    utc_s = json.loads(board.exec("print_utc()"))
    return {
        "ppm": round((seconds / passed - 1) * 1e6),
        "doubt_ppm": round(doubt / passed * 1e6),
        "off_s": None if utc_s is None else round(utc_s - datetime.now(UTC).timestamp()),
    }


def _ticks(board: Target) -> tuple[float, int, float]:
    """(this machine's clock before, the board's ticks, this machine's clock after)."""
    start = time.monotonic()
    ticks = int(board.exec("print_ticks()"))
    return start, ticks, time.monotonic()


def _installed(board: Target) -> tuple[ApplicationFacts | Failure, dict[str, Any] | None]:
    """The application, and the configuration that lies with it."""
    try:
        slots = Slots(board)
        sizes = {name: slots.size(name) for name in NAMES}
        try:
            installed = application.find(board)
        except KittiwakeError as error:
            return {"error": error.message}, None
        unique_id, reset_cause = json.loads(_run(board, "doctor/identity", "print_identity"))
    except TargetError as error:
        return {"error": error.last_line}, None
    facts: ApplicationFacts = {
        "slot": installed.slot,
        "version": installed.version,
        "sizes": sizes,
        "unique_id": unique_id,
        "reset_cause": reset_cause,
    }
    return facts, installed.config


def _configuration(board: Target, config: dict[str, Any]) -> ConfigurationFacts:
    refused, absent = _fresh(board, "doctor/configuration", "print_configuration", json.dumps(config))
    link = config.get("link", "stdio")
    return {"refused": refused, "absent": absent, "link": link, "watchdog_s": config.get("watchdog_s", 0)}


def _journal(board: Target, storage: dict[str, Any]) -> JournalFacts:
    return cast(JournalFacts, _fresh(board, "doctor/journal", "print_journal", storage))


def _run(board: Target, program: str, function: str, *arguments: object) -> str:
    """What a function of a program prints; the program is handed over first."""
    board.exec(board_code.source(program))
    return board.exec(board_code.call(function, *arguments), _ANSWER_S)


def _fresh(board: Target, program: str, function: str, *arguments: object) -> Any:
    """What a function prints as JSON on a board that was just rebooted, its application's modules importable."""
    board.reboot()
    application.find(board)
    return json.loads(_run(board, program, function, *arguments))


def _sensor(board: Target, config: dict[str, Any], number: int) -> ChannelFacts:
    facts = _fresh(board, "doctor/sensor", "print_sensor", json.dumps(config), number, _SENSOR_MS)
    return cast(ChannelFacts, facts)


def _link(board: Target, config: dict[str, Any], is_port: bool) -> LinkFacts:
    board.reboot()
    if is_port:
        application.start_again(board, watch=True)
    else:
        board.run_node(config, watch=True)
    running = starting.wait(board, config)
    return {"kind": running.kind, "device": running.device, "answers": running.answers}
