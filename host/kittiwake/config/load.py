"""Configuration files: TOML into a checked model, with the line at fault and the mend, and overrides from outside.

It knows files, environment and models in general; what the settings mean stands in the models.

A setting `[broker] keepalive_s` is overridden by the environment's `KITTIWAKE_BROKER__KEEPALIVE_S`, the second device's
port by `KITTIWAKE_DEVICES__1__PORT`.
"""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from kittiwake.config import faults, toml_lines
from kittiwake.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

LIMIT_BYTES = 512 * 1024
KEYS_LIMIT = 20_000
_PREFIX = "KITTIWAKE_"
_DIVIDER = "__"

M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """A table of a configuration file: unknown keys are refused, and nothing is turned into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_default=True, hide_input_in_errors=True)


def load(path: str | Path, model: type[M], environment: Mapping[str, str] | None = None) -> M:
    """Read, override and check a configuration file.

    Args:
        path: the file.
        model: what it must be.
        environment: overrides, see above; none when None.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or a setting cannot be; names file, line, setting and mend.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(LIMIT_BYTES + 1)
        if len(raw) > LIMIT_BYTES:
            raise ConfigError(f"{path} has more than {LIMIT_BYTES} bytes", "name the configuration file")
        text = raw.decode("utf-8-sig")  # editors on Windows begin a file with a mark
    except FileNotFoundError as error:
        raise ConfigError(f"{path} is not there", "`kittiwake bridge init` writes one to start from") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
    return parse(text, model, environment or {}, str(path))


def parse(text: str, model: type[M], environment: Mapping[str, str], name: str) -> M:
    """As `load`, for a text.

    Args:
        text: TOML.
        model: what it must be.
        environment: overrides, see above.
        name: stands in messages where a file's path would.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: it is no TOML, or a setting cannot be.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}", "see https://toml.io for the form") from error
    except RecursionError:
        raise ConfigError(f"{name}: nested too deep", "see https://toml.io for the form") from None
    lines = toml_lines.lines_by_key(text)
    if len(lines) > KEYS_LIMIT:
        raise ConfigError(
            f"{name}: more than {KEYS_LIMIT} settings", "`kittiwake bridge init` writes one to start from"
        )
    _refuse_secrets(model, lines, name)
    sources: dict[toml_lines.Path, str] = {}
    for variable, at, raw in _overrides(model, environment):
        _put(values, at, _typed(model, at, raw), variable)
        sources[at] = f"environment variable {variable}"
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explained(error, model, lines, sources, name) from None


def field_at(model: type[BaseModel], at: toml_lines.Path) -> FieldInfo | None:
    """Find the pydantic field that a path of keys leads to.

    Args:
        model: where it begins.
        at: keys of tables, numbers of elements.

    Returns:
        The field; None when there is none.
    """
    annotation: Any = model
    field = None
    for key in at:
        inner = _strip(annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            field = inner.model_fields.get(str(key))
            if field is None:
                return None
            annotation = field.annotation
        elif typing.get_origin(inner) in (list, dict):
            annotation = typing.get_args(inner)[-1]
        else:
            return None
    return field


def _refuse_secrets(model: type[BaseModel], lines: Mapping[toml_lines.Path, int], name: str) -> None:
    for at, line in lines.items():
        field = field_at(model, at)
        if field is not None and field.annotation is SecretStr:
            raise ConfigError(
                f"{name}, line {line}: {_dotted(at)}: a secret stands in the file", field.description or ""
            )


def _overrides(model: type[BaseModel], environment: Mapping[str, str]) -> Iterator[tuple[str, toml_lines.Path, str]]:
    for variable in sorted(environment):
        if not variable.startswith(_PREFIX) or _DIVIDER not in variable:
            continue
        keys = variable[len(_PREFIX) :].lower().split(_DIVIDER)
        if keys[0] in model.model_fields:
            yield variable, tuple(int(key) if key.isdigit() else key for key in keys), environment[variable]


def _typed(model: type[BaseModel], at: toml_lines.Path, raw: str) -> Any:
    field = field_at(model, at)
    kind = _strip(field.annotation) if field is not None else None
    if kind in (int, float, bool) or typing.get_origin(kind) in (list, dict):
        try:
            return tomllib.loads(f"value = {raw}")["value"]
        except tomllib.TOMLDecodeError:
            return raw  # the model says what is wrong with it
    return raw


def _put(values: Any, at: toml_lines.Path, value: Any, variable: str) -> None:
    for key, following in zip(at, (*at[1:], None), strict=True):
        if isinstance(values, list):
            if not isinstance(key, int) or key > len(values):
                raise ConfigError(f"{variable}: there is no element {key}", f"the file has {len(values)}")
            if key == len(values):
                values.append({})
        elif not isinstance(values, dict):
            raise ConfigError(f"{variable}: no such setting", "`kittiwake bridge schema` lists them")
        if following is None:
            values[key] = value
        elif isinstance(values, dict):
            values = values.setdefault(key, [] if isinstance(following, int) else {})
        else:
            values = values[key]


def _explained(
    error: ValidationError,
    model: type[BaseModel],
    lines: Mapping[toml_lines.Path, int],
    sources: Mapping[toml_lines.Path, str],
    name: str,
) -> ConfigError:
    """Turn the first fault (in the order of the file) into one line."""

    def place(fault: ErrorDetails) -> tuple[int, str]:
        at = fault["loc"]
        while at:
            if at in sources:
                return 0, sources[at]
            if at in lines:
                return lines[at], f"{name}, line {lines[at]}"
            at = at[:-1]
        return 1 << 30, name

    every = sorted(error.errors(include_url=False), key=lambda fault: place(fault)[0])
    fault = every[0]
    where = place(fault)[1]
    setting = _dotted(fault["loc"]) or "the file"
    more = f" (and {len(every) - 1} more)" if len(every) > 1 else ""
    return ConfigError(f"{where}: {setting}: {faults.words(fault)}{more}", _mend(fault, model))


def _mend(fault: ErrorDetails, model: type[BaseModel]) -> str:
    at = fault["loc"]
    if fault["type"] == "extra_forbidden":
        known = _known(model, at[:-1])
        near = difflib.get_close_matches(str(at[-1]), known, 1)
        return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    for end in range(len(at), 0, -1):
        field = field_at(model, at[:end])
        if field is not None and field.description:
            example = f", such as {field.examples[0]!r}" if field.examples else ""
            return f"{field.description.rstrip('.')}{example}"
    return ""


def _known(model: type[BaseModel], at: toml_lines.Path) -> list[str]:
    if not at:
        return list(model.model_fields)
    field = field_at(model, at)
    inner = _strip(field.annotation) if field is not None else None
    if typing.get_origin(inner) is list:
        inner = _strip(typing.get_args(inner)[0])
    return list(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else []


def _strip(annotation: Any) -> Any:
    """The type behind Annotated and `| None`."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in (typing.Union, types.UnionType):
            annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
        else:
            return annotation


def _dotted(at: toml_lines.Path) -> str:
    text = ""
    for key in at:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text
