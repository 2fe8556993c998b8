"""Reference pages of gateway.toml and board.toml: the settings of a pydantic model with type, unit, default, bounds."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tools.docs import markdown

_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", SecretStr: "secret"}
# A unit that a name ends in; what has another says so in its field (json_schema_extra).
UNITS = {
    "_s": "s", "_ms": "ms", "_us": "µs", "_hz": "Hz", "_mib": "MiB", "_bytes": "bytes", "_g": "g", "_db": "dB",
    "_samples": "samples",
}  # fmt: skip
_HEAD = ("setting", "type", "unit", "default", "bounds", "meaning")


class Row(NamedTuple):
    """One setting: its name and what the table says of it, in Markdown."""

    name: str
    kind: str
    unit: str
    default: str
    bounds: str
    meaning: str


def page(title: str, introduction: str, model: type[BaseModel], root: str) -> str:
    """A page of all settings of a model.

    Args:
        title: its heading.
        introduction: stands under it.
        model: whose fields are the file's tables and settings.
        root: heading over the settings that are in no table.

    Returns:
        Markdown.
    """
    parts = [markdown.MADE, f"# {title}\n", introduction.strip() + "\n"]
    for name, section in sections(model):
        parts.append(f"## {name or root}\n")
        if name:
            parts.append(markdown.words(section.__doc__ or "") + "\n")
        parts.append(markdown.table(_HEAD, [(markdown.code(row.name), *row[1:]) for row in rows(section)]))
    return "\n".join(parts)


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """(name as in the file, model) of every table: `[broker]`, `[[devices]]`, `[pins.i2c]`; the root has no name."""
    if any(inner_model(field)[0] is None for field in model.model_fields.values()):
        yield path, model
    for name, field in model.model_fields.items():
        inner, is_list = inner_model(field)
        if inner is not None:
            dotted = f"{path.strip('[]')}.{name}" if path else name
            yield from sections(inner, f"[[{dotted}]]" if is_list else f"[{dotted}]")


def rows(section: type[BaseModel]) -> Iterator[Row]:
    """A row a setting of a table; its inner tables have sections of their own."""
    for name, field in section.model_fields.items():
        if inner_model(field)[0] is None:
            yield Row(
                name, _type(field.annotation), unit(name, field), _default(field), _bounds(field), _meaning(field)
            )


def inner_model(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """(model, whether a list of it) of a field that is a table or a list of tables; (None, False) of any other."""
    plain = _plain(field.annotation)
    is_list = typing.get_origin(plain) is list
    kind = _plain(typing.get_args(plain)[0]) if is_list else plain
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return (kind, is_list) if is_model else (None, False)


def unit(name: str, field: FieldInfo) -> str:
    """The unit of a setting: what its field says, else what its name ends in; empty where it has none."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "unit" in extra:
        return str(extra["unit"])
    return next((of for ending, of in UNITS.items() if name.endswith(ending)), "")


def _type(annotation: Any) -> str:
    plain = _plain(annotation)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin is typing.Literal:
        return ", ".join(markdown.code(choice) for choice in arguments)
    if origin is list:
        return "list of: " + _type(arguments[0])
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments if part is not type(None))
    return _TYPES.get(plain) or plain.__name__


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return markdown.code(json.dumps(value, ensure_ascii=False))


def _bounds(field: FieldInfo) -> str:
    limits: dict[str, Any] = {}
    for part in (*_metadata(field.annotation), *field.metadata):
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            value = getattr(part, name, None)
            if value is not None:
                limits[name] = value
    low, high = limits.get("ge"), limits.get("le")
    phrases = []
    if low is not None and high is not None:
        phrases.append(f"{low:g} to {high:g}" if isinstance(high, float) else f"{low} to {high}")
    else:
        marks = (("ge", "at least {}"), ("gt", "above {}"), ("le", "at most {}"), ("lt", "below {}"))
        phrases += [text.format(limits[name]) for name, text in marks if name in limits]
    counted = "characters" if _plain(field.annotation) is str else "of them"
    phrases += [f"at least {limits['min_length']} {counted}"] if "min_length" in limits else []
    phrases += [f"at most {limits['max_length']} {counted}"] if "max_length" in limits else []
    phrases += [markdown.code(limits["pattern"])] if "pattern" in limits else []
    return ", ".join(phrases)


def _meaning(field: FieldInfo) -> str:
    text = markdown.words(field.description or "")
    if field.examples:
        text += f". Such as {markdown.code(json.dumps(field.examples[0], ensure_ascii=False))}"
    return text


def _plain(annotation: Any) -> Any:
    """The type behind Annotated and `| None`; a union of several stays one."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in (typing.Union, types.UnionType):
            parts = [part for part in typing.get_args(annotation) if part is not type(None)]
            if len(parts) > 1:
                return annotation
            annotation = parts[0]
        else:
            return annotation


def _metadata(annotation: Any) -> Iterator[Any]:
    """What stands in Annotated, at any depth; a FieldInfo there is replaced by its own parts."""
    for part in getattr(annotation, "__metadata__", ()):
        yield from part.metadata if isinstance(part, FieldInfo) else (part,)
    for part in typing.get_args(annotation):
        if typing.get_origin(part) is not None:
            yield from _metadata(part)
