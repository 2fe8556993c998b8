"""A JSON Schema of node.toml, made from the firmware's tables: for editors that complete and check while one writes.

It says what settings there are and of which kind; what values are right together is the firmware's judgement.
"""

from __future__ import annotations

from typing import Any

from kittiwake.node import meaning
from kittiwake.node.tables import PINS, Tables

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(tables: Tables) -> Schema:
    """Make the schema.

    Args:
        tables: as `tables.ask` gives them.

    Returns:
        JSON Schema, draft 2020-12.
    """
    meanings = meaning.read()

    def table(key: str, **inner: Schema) -> Schema:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                name: _setting(name, default, meanings[key][name]) | inner.get(name, {})
                for name, default in tables[key].items()
            },
        }

    def of_kinds(group: str, **inner: Schema) -> Schema:
        kinds = [key.partition("-")[2] for key in tables if key.startswith(f"{group}-")]
        schemas = []
        for kind in kinds:
            one = table(f"{group}-{kind}", **inner)
            one["properties"]["kind"]["const"] = kind
            schemas.append(one | {"required": ["kind"]})
        return {"oneOf": schemas}

    channel = table(
        "channel",
        event=table("event"),
        snapshot=table("snapshot"),
        states=table("states"),
        hear=table("hear"),
        source=of_kinds("source", i2c=table("i2c")),
        detectors={"items": of_kinds("detector")},
        scale={"type": ["string", "number"]},
        offset={"type": ["string", "number"]},
    )
    uart = table("uart")
    uart["properties"]["kind"]["const"] = "uart"
    targets = {"type": "object", "properties": {"kind": {"enum": ["fd", "kwboard", "stdio", "mqtt"]}}}
    link: Schema = {"type": ["string", "object"], "anyOf": [{"type": "string"}, uart, targets]}
    root = table(
        "root",
        action=table("action"),
        mqtt=table("mqtt"),
        wifi=table("wifi"),
        link=link,
        channels={"items": channel, "minItems": 1, "maxItems": 8},
    )
    return {"$schema": _DIALECT, "title": "node.toml of Kittiwake", **root, "required": ["channels"]}


def _setting(name: str, default: Any, entry: Any) -> Schema:
    described: Schema = {"description": meaning.words(entry)}
    if name in PINS:
        return {"type": ["integer", "string"], **described}
    for kind, word in ((bool, "boolean"), (int, "integer"), (str, "string"), (dict, "object"), (list, "array")):
        if isinstance(default, kind):
            described["type"] = word
            break
    if default not in ("", {}, []):
        described["default"] = default
    return described
