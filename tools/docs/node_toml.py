"""Reference page of node.toml: every setting with type, unit, default, bounds, from the firmware's tables and refusals.

Bounds are asked for: a value that cannot be is given to the firmware's own check, and what it says would be right is
the bound. So no bound is written down a second time. What a setting means stands in host/kittiwake/node/settings.toml.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kittiwake.node import meaning
from kittiwake_node import config, config_link, config_sensor, config_source, config_states, kernels
from kittiwake_node.detect import kinds
from kittiwake_node.errors import ConfigError
from kittiwake_node.mqtt import settings as mqtt_settings
from tools.docs import markdown
from tools.docs.models import UNITS

# Settings that take the number or the name of a pin; their default is no text.
_PINS = ("pin", "scl", "sda", "sck", "ws", "sd")
_FAR = 1 << 40
_BROKER = {"url": "mqtt://h"}

# Given a setting's name and value; given a table's settings. Both raise ConfigError.
Check = Callable[[str, Any], object]
Whole = Callable[[dict[str, Any]], object]


class Table(NamedTuple):
    """One table of the file.

    Args:
        key: its section in settings.toml.
        heading: as the page has it.
        defaults: the firmware's.
        check: given a name and a value, checks a whole configuration with it; raises ConfigError.
    """

    key: str
    heading: str
    defaults: dict[str, Any]
    check: Check


class Row(NamedTuple):
    """One setting, in Markdown but for its name."""

    name: str
    kind: str
    unit: str
    default: str
    bounds: str
    meaning: str


def page() -> str:
    """The whole page in Markdown."""
    parts = [markdown.MADE, "# node.toml\n", _HEAD]
    for table, rows in pages():
        parts.append(f"## {table.heading}\n")
        cells = [(markdown.code(row.name), *row[1:]) for row in rows]
        parts.append(markdown.table(("setting", "type", "unit", "default", "bounds", "meaning"), cells))
    return "\n".join(parts)


def pages() -> Iterator[tuple[Table, list[Row]]]:
    """Every table with its rows.

    Raises:
        ValueError: settings.toml does not have the settings that the firmware has.
    """
    meanings = meaning.read()
    known = {table.key for table in tables()}
    if set(meanings) != known:
        raise ValueError(f"node/settings.toml has the sections {sorted(meanings)}, the firmware {sorted(known)}")
    for table in tables():
        section = meanings[table.key]
        if set(section) != set(table.defaults):
            raise ValueError(
                f"node/settings.toml, {table.key}: {set(section) ^ set(table.defaults)} is on one side only"
            )
        yield table, [_row(table, name, section[name]) for name in table.defaults]


def tables() -> Iterator[Table]:
    """Every table that the firmware knows."""
    yield Table("root", "The node", config.DEFAULTS, lambda name, value: _check({name: value}))
    yield Table("action", "[action]", config.ACTION_DEFAULTS, _within(_check, "action"))
    yield Table("uart", '[link], of kind "uart"', config_link.UART_DEFAULTS, _within(_check, "link", {"kind": "uart"}))
    yield Table("mqtt", "[mqtt]", mqtt_settings.MQTT_DEFAULTS, _within(_check_direct, "mqtt", _BROKER))
    yield Table("wifi", "[wifi]", mqtt_settings.WIFI_DEFAULTS, _within(_check_direct, "wifi"))
    yield Table("channel", "[[channels]]", config.CHANNEL_DEFAULTS, lambda name, value: _check_channel({name: value}))
    yield Table("event", "[channels.event]", config.EVENT_DEFAULTS, _within(_check_channel, "event"))
    yield Table("snapshot", "[channels.snapshot]", config.SNAPSHOT_DEFAULTS, _within(_check_channel, "snapshot"))
    yield Table("states", "[channels.states]", config_states.STATES_DEFAULTS, _within(_check_states, "states"))
    yield Table("hear", "[channels.hear]", config.HEAR_DEFAULTS, _within(_check_microphone, "hear"))
    for kind, defaults in config.DETECTOR_DEFAULTS.items():
        heading = f'[[channels.detectors]], of kind "{kind}"'
        yield Table(f"detector-{kind}", heading, defaults, _of_kind(_check_detector, kind))
    for kind, (_, of_source) in config_source.KINDS.items():
        settings = config_sensor.DEFAULTS[kind] if of_source is None else of_source
        yield Table(f"source-{kind}", f'[channels.source], of kind "{kind}"', settings, _of_kind(_check_source, kind))
    yield Table("i2c", "[channels.source.i2c]", config_sensor.I2C_DEFAULTS, _within(_check_accelerometer, "i2c"))


def bounds(table: Table, name: str) -> str:
    """What the firmware says would be right, when it is given what cannot be; empty where it takes anything."""
    default = table.defaults[name]
    if isinstance(default, bool) or name == "kind" or isinstance(default, dict):
        return ""
    wrong: tuple[Any, ...] = (_FAR, -_FAR)
    if name in _PINS:
        return ""
    if isinstance(default, str):
        wrong = ("/+#\0", "x" * 100, "-1")
    elif isinstance(default, list):
        wrong = (["?"] * 100,)
    return next((_right(detail) for value in wrong if (detail := _refusal(table, name, value))), "")


def _refusal(table: Table, name: str, value: object) -> str:
    """What the firmware says of a value, when it is this setting that it refuses; else empty."""
    try:
        table.check(name, value)
    except ConfigError as error:
        return str(error.detail) if name in error.code else ""
    return ""


def _right(detail: str) -> str:
    """The part of a refusal that says what would be right."""
    for mark in (" is not within ", " is not one of: ", "; ", ": "):
        _, matched, rest = detail.partition(mark)
        if matched:
            return markdown.words(rest)
    return markdown.words(detail)


def _row(table: Table, name: str, entry: Any) -> Row:
    meaning = entry["meaning"] if isinstance(entry, dict) else entry
    unit = entry.get("unit", "") if isinstance(entry, dict) else ""
    unit = unit or next((of for ending, of in UNITS.items() if name.endswith(ending)), "")
    default = table.defaults[name]
    if default == "" and _refusal(table, name, ""):
        default_text = "required"
    else:
        default_text = "" if default in ({}, []) or name in _PINS else markdown.code(json.dumps(default))
    return Row(name, _type(name, default), unit, default_text, bounds(table, name), meaning)


def _type(name: str, default: Any) -> str:
    if name in _PINS:
        return "whole number or text"
    for kind, words in ((bool, "true or false"), (int, "whole number"), (str, "text"), (dict, "table"), (list, "list")):
        if isinstance(default, kind):
            return words
    raise ValueError(f"{name}: no word for {default!r}")


def _within(check: Whole, table: str, beside: dict[str, Any] | None = None) -> Check:
    """Checks a setting of an inner table; what is `beside` it stands in that table, too."""
    return lambda name, value: check({table: (beside or {}) | {name: value}})


def _of_kind(check: Whole, kind: str) -> Check:
    return lambda name, value: check({"kind": kind, name: value})


def _check(settings: dict[str, Any]) -> object:
    return config.check({"channels": [{}]} | settings)


def _check_direct(settings: dict[str, Any]) -> object:
    return _check({"link": "mqtt", "mqtt": _BROKER} | settings)


def _check_channel(channel: dict[str, Any]) -> object:
    return _check({"channels": [channel]})


def _check_microphone(channel: dict[str, Any]) -> object:
    return _check_channel({"kind": "microphone"} | channel)


def _check_states(channel: dict[str, Any]) -> object:
    return _check_channel({"kind": "states"} | {"states": {"model": "m.kwm"} | channel["states"]})


def _check_detector(detector: dict[str, Any]) -> object:
    return kinds.make(kernels.load("plain"), config.check_detector(detector), 16)


def _check_source(source: dict[str, Any]) -> object:
    needed: dict[str, dict[str, Any]] = {
        "adc": {"pin": 1},
        "i2s": {"sck": 1, "ws": 2, "sd": 3},
        "timer": {"sensor": {"kind": "adc", "pin": 1}},
    }
    return _check_channel({"bits": 16, "rate_hz": 100, "source": needed.get(source["kind"], {}) | source})


def _check_accelerometer(source: dict[str, Any]) -> object:
    return _check_source({"kind": "lis3dh"} | source)


_HEAD = """\
What a node does. `kittiwake explain node.toml` says what a configuration will do; `kittiwake deploy` checks it by the
firmware itself before it is in force. On the board it is `node.json`.

The journal's place, `[storage]`, is written by `kittiwake deploy` from the board's file: `kind` is `folder` (with
`path`), `file` (with `path` and `bytes`, the unix port) or `kwflash` (emulated boards).
"""
