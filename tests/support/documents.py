"""The documents as text: which there are, their references, and the lines of a shell that they show."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
from pathlib import Path

import typer

from kittiwake.cli import app

ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# Languages of fenced blocks that are no shell's.
_NO_SHELL = ("toml", "json", "python", "{")
# Words that stand for what the reader fills in.
_PLACEHOLDERS = re.compile(r"…|\bVERB\b|\bT\b|=DIR\b")


def documents() -> list[Path]:
    """Every Markdown file of the repository but what the site's build makes."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted(ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).exists())


def references(text: str) -> list[str]:
    """Where a document's references and pictures lead, but for other hosts; code is left out."""
    prose = "\n".join(line for is_code, line in _lines(text) if not is_code)
    targets = (match[1] for match in _REFERENCE.finditer(_INLINE.sub("", prose)))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as the site and code hosts make them."""
    heads = (re.match(r"#+ (.*)", line) for is_code, line in _lines(text) if not is_code)
    return {re.sub(r"[^\w\- ]", "", head[1].lower()).replace(" ", "-") for head in heads if head}


def shell_lines(text: str, program: str) -> list[str]:
    """Every line of a shell that begins with a program: of code blocks, and code within sentences.

    Args:
        text: of a document.
        program: its name, or the end of its path.
    """
    candidates = [line.strip().removeprefix("$ ") for is_code, line in _lines(text) if is_code]
    prose = "\n".join(line for is_code, line in _lines(text) if not is_code)
    candidates += [" ".join(match[1].split()) for match in _INLINE.finditer(prose)]
    begins = re.compile(rf"(?:\S*/)?{re.escape(program)}(?:\s|$)")
    return [line for line in candidates if begins.match(line) and not _PLACEHOLDERS.search(line)]


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def parse(line: str) -> tuple[str, ...]:
    """Read a line of the program as its parser would, without doing what it says.

    Args:
        line: begins with the program.

    Returns:
        The verb's words.

    Raises:
        ValueError: there is no such verb, option or argument; says which.
    """
    words = shlex.split(line, comments=True)[1:]
    command, path, context = _program(), (), None
    while True:
        context = command.context_class(command, info_name=path[-1] if path else "kittiwake", parent=context)
        try:
            _, rest, _ = command.make_parser(context).parse_args(list(words))
        except Exception as error:  # the parser's own, whose class typer does not export
            raise ValueError(f"{line}: {error}") from error
        if not getattr(command, "commands", None):
            if rest:  # arguments that no parameter took
                raise ValueError(f"{line}: {' '.join(rest)} is more than {' '.join(path)} takes")
            return path
        if not rest:
            return path
        if rest[0] not in command.commands and path == ("journal",):
            rest = ["show", *rest]  # an image
        if rest[0] not in command.commands:
            raise ValueError(f"{line}: {' '.join(('kittiwake', *path))} has no {rest[0]}")
        command, path, words = command.commands[rest[0]], (*path, rest[0]), rest[1:]


@functools.cache
def _program():
    return typer.main.get_command(app.app)


def _lines(text: str) -> list[tuple[bool, str]]:
    """(whether it is a shell's code, line) of every line; blocks in other languages are left out."""
    out, fence = [], None
    for line in text.split("\n"):
        mark = re.match(r"\s*(```+|:::+)(.*)", line)
        if mark and fence is None:
            fence = mark[2].strip()
        elif mark and not mark[2].strip():
            fence = None
        elif fence is None:
            out.append((line.startswith("    ") and not re.match(r"\s+[-*\d]", line), line))
        elif not fence.startswith(_NO_SHELL):
            out.append((True, line))
    return out
