"""A node.toml to start from, for one board: every setting with its meaning and default, from the firmware's tables."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from kittiwake.boards.description import Board
from kittiwake.node import meaning
from kittiwake.node.tables import Tables

_WIDTH = 110
# Tables of their own further down, or written by `deploy` from the board's file.
_ELSEWHERE = ("action", "storage", "link", "mqtt", "wifi", "channels", "source", "detectors", "states", "hear", "kind")


def text(board: Board, tables: Tables) -> str:
    """Write the configuration.

    Args:
        board: that the node is to run on.
        tables: as `tables.ask` gives them.

    Returns:
        TOML with comments, which a node would start with.
    """
    pins = board.pins.model_dump(exclude_none=True) if board.pins is not None else {}
    meanings = meaning.read()

    def defaults(key: str, *shown: str) -> list[str]:
        return [
            f"# {name} = {json.dumps(default)}  # {meaning.words(meanings[key][name])}"
            for name, default in tables[key].items()
            if name not in _ELSEWHERE and name not in shown
        ]

    lines = [_comment(_HEAD.format(title=board.title, name=board.name)), 'device = "kittiwake"  # names it in topics']
    lines += defaults("root", "device")
    if "action" in pins:
        lines += ["", "# What a flag drives.", "[action]", 'kind = "pin"', f"pin = {json.dumps(pins['action'])}"]
        lines += defaults("action", "pin")
    source, rate_hz = _source(pins)
    lines += ["", _comment(_CHANNEL), "[[channels]]", 'name = "signal"  # a level of its topics']
    lines += [f"rate_hz = {rate_hz}", f"source = {_toml(source)}"]
    lines += defaults("channel", "name", "rate_hz", "event", "snapshot")
    for name in ("event", "snapshot"):
        lines.append(f"# {name} = {_toml(tables[name])}  # {meaning.words(meanings['channel'][name])}")
    lines += ["", _comment(_DETECTORS), "[[channels.detectors]]", 'kind = "zscore"', *defaults("detector-zscore")]
    return "\n".join(lines) + "\n"


def _source(pins: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What the board can sample by itself, and how fast; samples that are sent where it has no converter."""
    if "adc" in pins:
        return {"kind": "adc", "pin": pins["adc"]}, 1000
    return {"kind": "link"}, 0


def _toml(table: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + "}"


def _comment(words: str) -> str:
    return "\n".join(f"# {line}" for part in words.splitlines() for line in textwrap.wrap(part, _WIDTH))


_HEAD = """\
A node on {title}.
Lines that begin with "# name =" show a default; take the mark away to change it.
`kittiwake node check THIS` says whether a node would start with it, `kittiwake explain THIS` what it would do;
`kittiwake deploy {name} --port PORT -c THIS` does it."""
_CHANNEL = """\
What is sampled: up to eight of these. Other sources are lis3dh, mpu6050, tmp105, i2s, timer, link and replay."""
_DETECTORS = "What judges it: up to four of these. Others are drift, novelty and baseline."
