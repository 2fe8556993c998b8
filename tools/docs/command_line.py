"""Reference page of the command line: every verb with arguments and options, and every exit code, from the program."""

from __future__ import annotations

import enum
import inspect
import pathlib
import types
import typing
from collections.abc import Iterator
from typing import Any

import typer

from kittiwake import errors
from kittiwake.cli import app as cli
from tools.docs import markdown

_PAUSE = "\n"
_NAMES = {str: "text", int: "whole number", float: "number", pathlib.Path: "path"}


def verbs(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb of the program.

    Args:
        command: where to begin; the program itself when None.
        path: words that lead there.

    Yields:
        (words after `kittiwake`, the parser's command), a group before what is in it.
    """
    command = command or typer.main.get_command(cli.app)
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*path, name))


def page() -> str:
    """The whole page in Markdown."""
    parts = [markdown.MADE, "# Command line\n"]
    parts.append(
        "Data goes to stdout, progress and errors to stderr. Ports: `auto`, a path, `id:SERIAL`, "
        "`socket://HOST:PORT` or `rfc2217://HOST:PORT`.\n"
    )
    parts.append("## Exit codes\n")
    parts.append(markdown.table(("code", "meaning", "raised as"), exit_codes()))
    for path, command in verbs():
        parts.append(_verb(path, command))
    return _PAUSE.join(parts)


def exit_codes() -> list[tuple[str, str, str]]:
    """(code, meaning, exceptions) of every exit code of the program."""
    meanings: dict[int, list[str]] = {errors.EXIT_OK: ["done"]}
    names: dict[int, list[str]] = {errors.EXIT_OK: []}
    for error in _errors(errors.KittiwakeError):
        first_line = (inspect.getdoc(error) or "").splitlines()[0]
        meanings.setdefault(error.exit_code, []).append(first_line.rstrip("."))
        names.setdefault(error.exit_code, []).append(error.__name__)
    meanings[errors.EXIT_FAILED] = ["failed: " + "; ".join(meanings[errors.EXIT_FAILED][1:]) + "; or a bug"]
    rows = [
        (markdown.code(code), markdown.words("; ".join(meanings[code])), ", ".join(map(markdown.code, names[code])))
        for code in sorted(meanings)
    ]
    return [*rows, (markdown.code(errors.EXIT_INTERRUPTED), "interrupted by Ctrl-C", "")]


def _errors(root: type[errors.KittiwakeError]) -> Iterator[type[errors.KittiwakeError]]:
    yield root
    for error in root.__subclasses__():
        if error.__module__ == root.__module__:
            yield from _errors(error)


def _verb(path: tuple[str, ...], command: Any) -> str:
    name = " ".join(("kittiwake", *path))
    parts = [f"{'#' * min(2 + max(len(path) - 1, 0), 3)} {name}\n", _help(command)]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and "--help" not in p.opts]
    usage = [name, *("[OPTIONS]" for _ in options[:1]), *map(_usage, arguments)]
    usage += ["VERB …"] if getattr(command, "commands", None) else []
    parts.append(f"    {' '.join(usage)}\n")
    rows = [(_usage(p), _type(command, p), _default(p), markdown.words(p.help or "")) for p in arguments]
    rows += [
        (
            ", ".join(map(markdown.code, (*p.opts, *p.secondary_opts))),
            _type(command, p),
            _default(p),
            markdown.words(p.help or ""),
        )
        for p in options
    ]
    if rows:
        parts.append(markdown.table(("argument or option", "type", "default", "meaning"), rows))
    return _PAUSE.join(parts)


def _help(command: Any) -> str:
    return "\n\n".join(markdown.words(part) for part in inspect.cleandoc(command.help or "").split("\n\n")) + "\n"


def _usage(argument: Any) -> str:
    name = (argument.metavar or argument.name).strip("[]{}").upper()
    name += "…" if argument.nargs == -1 and not name.endswith("…") else ""
    return name if argument.required else f"[{name}]"


def _type(command: Any, parameter: Any) -> str:
    """What a parameter takes, from the signature of the verb's function, which no version of typer changes."""
    hint = typing.get_type_hints(command.callback, include_extras=True).get(parameter.name)
    if hint is None:
        return "flag"  # typer's own: those of shell completion
    annotation, info = _plain(hint), next((m for m in getattr(hint, "__metadata__", ()) if hasattr(m, "metavar")), None)
    repeatable = typing.get_origin(annotation) is list
    kind = _plain(typing.get_args(annotation)[0]) if repeatable else annotation
    if kind is bool:
        return "flag"
    name = str(_NAMES.get(kind) or getattr(kind, "__name__", kind))
    if parameter.param_type_name == "option" and parameter.metavar:
        name = str(parameter.metavar).strip("[]{}")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        name = ", ".join(str(member.value) for member in kind)
    low, high = getattr(info, "min", None), getattr(info, "max", None)
    if low is not None:
        name += f", {low} to {high}" if high is not None else f", {low} or more"
    return name + (", repeatable" if repeatable else "")


def _plain(hint: Any) -> Any:
    """The type behind Annotated and `| None`."""
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif origin in (typing.Union, types.UnionType):
            hint = next(part for part in typing.get_args(hint) if part is not type(None))
        else:
            return hint


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or callable(default) or default is False or default == () or default == []:
        return ""
    return markdown.code("yes" if default is True else default)
