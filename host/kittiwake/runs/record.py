"""Samples of a board's sensor or microphone, as its firmware takes them, without a gap.

Knows targets and the firmware's sources; not how a recording is kept (signals/files.py).
"""

from __future__ import annotations

import binascii
import json
import sys
from array import array
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from kittiwake import board_code
from kittiwake.errors import ConfigError, TargetError
from kittiwake.signals.recording import Recording
from kittiwake.target import refusal
from kittiwake.target.base import NodeConfig, Target

_IDLE_S = 20.0
_BATCH = 128  # samples a line
# How the board's last line ends a recording, and what that says to its reader.
_WHY = {
    "done": "",
    "silent": "the sensor gives nothing: check its wires and pins",
    "gap": "samples were lost: console or bus is too slow for the rate; record for fewer seconds, which are kept in "
    "memory, or over the board's own USB",
    "ended": "its source ended",
    "interrupted": "it was interrupted",
}


def record(
    board: Target,
    config: NodeConfig,
    channel: str = "0",
    seconds: float = 10.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Recording:
    """Record from one channel; the recording ends at the first gap, when there is one.

    Short ones are kept in the board's memory until they are whole, so that a slow console cannot make a gap; longer
    ones are sent while they are made. An interrupt (KeyboardInterrupt) ends a recording that is sent.

    Args:
        board: started, the firmware's modules importable.
        config: of the node.
        channel: name or number of one.
        seconds: how long; by the channel's rate, and as at 1 kHz where nothing paces it.
        progress: told (samples got, samples to get).

    Raises:
        ConfigError: the configuration; there is no such channel; its source cannot be recorded.
        TargetError: of the board.
    """
    device, channels = _checked(board, config)
    number = _number(channels, channel)
    settings = channels[number]
    if settings["source"].get("kind") == "link":
        raise ConfigError(
            f"channel {settings['name']} has no sensor: its samples come over the link", "record what sends them"
        )
    total = max(1, round(seconds * (settings["rate_hz"] or 1000)))
    samples, started, end = array("h"), datetime.now(UTC), "interrupted"
    try:
        with closing(
            board.exec_lines(board_code.call("take_samples", number, total, _BATCH), _patience_s(seconds))
        ) as lines:
            for line in lines:
                refusal.raise_if_refused(line)
                if line in _WHY:
                    end = line
                elif line in ("memory", "stream"):
                    started = datetime.now(UTC)
                else:
                    samples.frombytes(_unpacked(line))
                    progress(len(samples), total)
    except KeyboardInterrupt:
        pass
    if sys.byteorder == "big":
        samples.byteswap()
    return Recording(
        samples,
        device,
        settings["name"],
        settings["rate_hz"],
        Fraction(settings["scale"]),
        Fraction(settings["offset"]),
        settings["unit"],
        started,
        end == "done",
        _WHY[end],
    )


def _checked(board: Target, config: NodeConfig) -> tuple[str, list[dict[str, Any]]]:
    board.exec(board_code.source("runs/recording"))
    reply = board.exec(board_code.call("check_config", json.dumps(config)))
    device, channels = json.loads(refusal.raise_if_refused(reply))
    return device, channels


def _number(channels: list[dict[str, Any]], name: str) -> int:
    for number, channel in enumerate(channels):
        if channel["name"] == name:
            return number
    if name.isdecimal() and int(name) < len(channels):
        return int(name)
    raise ConfigError(f"there is no channel {name}", f"there are: {', '.join(c['name'] for c in channels)}")


def _patience_s(seconds: float) -> float:
    """Until a line must have come: a recording that is kept in memory says nothing meanwhile."""
    return _IDLE_S + 2 * seconds


def _unpacked(line: str) -> bytes:
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error as error:
        raise TargetError("the console garbled a line of samples", "record again, over a better cable") from error
