"""Markdown for generated pages: tables and headings. It knows nothing of what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# What stands above every generated page, so that nobody edits it there.
MADE = "<!-- Made by tools/docs from the code. Change the code, not this page. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Args:
        head: names of the columns.
        rows: cells, Markdown; line ends in them become spaces.

    Returns:
        Its lines, with a line end behind the last.

    Raises:
        ValueError: a row has more or fewer cells than the head.
    """
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"{len(row)} cells under a head of {len(head)}: {row!r}")
        lines.append(_line(row))
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """A piece of code in a line; empty text stays empty."""
    words = str(text)
    return f"`{words}`" if words else ""


def words(text: str) -> str:
    """A sentence of the code as Markdown: one line, with what Markdown would take for markup taken literally."""
    line = " ".join(text.split())
    return "".join("\\" + c if c in "*_<>[]" else c for c in line) if "`" not in line else line


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
