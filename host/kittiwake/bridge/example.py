"""A configuration to start from, every setting with its meaning and default, written from the model itself."""

from __future__ import annotations

import json
import textwrap
import typing
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from kittiwake.bridge.settings import Settings
from kittiwake.config.load import Section

_WIDTH = 110
# What stands uncommented: the two things that every gateway has to say.
_SHOWN = {("broker", "url"): '"mqtt://localhost:1883"', ("devices", "port"): '"auto"'}
_HEAD = """\
Kittiwake's gateway. Lines that begin with "# name =" show a default; take the mark away to change it.
`kittiwake bridge check --config THIS` says what it would do; `kittiwake bridge --config THIS` does it.
The environment overrides: [broker] keepalive_s is KITTIWAKE_BROKER__KEEPALIVE_S, the second device's
port KITTIWAKE_DEVICES__1__PORT. Secrets come from files or from the environment, never from this file."""


def text(port: str = "auto", broker_url: str = "mqtt://localhost:1883") -> str:
    """Write the configuration.

    Args:
        port: of the first device.
        broker_url: of the broker.

    Returns:
        TOML with comments.
    """
    examples = dict(_SHOWN) | {("devices", "port"): _toml(port), ("broker", "url"): _toml(broker_url)}
    blocks = [_comment(_HEAD)]
    for name, field in Settings.model_fields.items():
        is_list = typing.get_origin(field.annotation) is list
        section = typing.get_args(field.annotation)[0] if is_list else field.annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            raise TypeError(f"{name} is no section")
        blocks.append("\n".join(_section(name, section, is_list, examples)))
    return "\n\n".join(blocks) + "\n"


def _section(name: str, section: type[Section], is_list: bool, examples: dict[tuple[str, str], str]) -> list[str]:
    lines = [_comment(" ".join((section.__doc__ or "").split())), f"[[{name}]]" if is_list else f"[{name}]"]
    for key, field in section.model_fields.items():
        lines.append(_comment(field.description or ""))
        if (name, key) in examples:
            lines.append(f"{key} = {examples[name, key]}")
        elif field.annotation is not SecretStr:
            lines.append(f"# {key} = {_toml(_default(field))}")
    return lines


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)


def _comment(words: str) -> str:
    return "\n".join(f"# {line}" for part in words.splitlines() for line in textwrap.wrap(part, _WIDTH))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }" if value else "{}"
    return json.dumps(value)  # strings, numbers and booleans look the same in TOML
