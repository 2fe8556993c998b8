"""The report of a run as one page of HTML: tests as rows, boards as columns, figures against an earlier run.

Knows a report's entries; needs nothing from elsewhere, no script, and opens from a disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.hil.report import Entry

Figures = Mapping[str, Mapping[str, float]]
_STYLE = """
:root { color-scheme: light dark; --line: #8888; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 1.5rem;
  background: light-dark(#fff, #16181b); color: light-dark(#16181b, #eceef0); }
a { color: light-dark(#0b57a4, #8ab8ff); }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
thead th { white-space: nowrap; }
tbody th { font-weight: normal; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
.passed { background: light-dark(#e6f4e8, #12301a); }
.failed { background: light-dark(#fbe3e1, #46171a); }
.flaky { background: light-dark(#fdf1d6, #41310a); }
.figure { display: block; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .6rem; max-height: 30rem; }
"""


def write(path: Path, entries: Sequence[Entry], baseline: Figures) -> None:
    """Write the page.

    Args:
        path: of the file; it is replaced.
        entries: of the run, in its order.
        baseline: figures of an earlier run, by test; empty for none.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        path.write_text(page(entries, baseline), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "name another file") from error


def page(entries: Sequence[Entry], baseline: Figures) -> str:
    """Make the page.

    Args:
        entries: as of `write`.
        baseline: likewise.

    Returns:
        HTML.
    """
    boards = list(dict.fromkeys(entry["board"] for entry in entries))
    cells: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        cells.setdefault(entry["row"], {}).setdefault(entry["board"], []).append(entry)
    rows = "".join(
        f'<tr><th scope="row">{escape(row)}</th>'
        + "".join(_cell(by_board.get(board, []), baseline) for board in boards)
        + "</tr>\n"
        for row, by_board in cells.items()
    )
    failures = "".join(_failure(number, entry) for number, entry in enumerate(entries) if entry["outcome"] == "failed")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Tests on boards</title><style>{_STYLE}</style></head><body><main>\n"
        f"<h1>Tests on boards</h1>\n<p>{_summary(entries, cells)}</p>\n"
        # What scrolls must be reached without a mouse.
        '<div class="wide" tabindex="0" role="region" aria-label="Results"><table>\n'
        f'<thead><tr><th scope="col">Test</th>{"".join(_column(board, entries) for board in boards)}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>\n"
        + (f"<h2>What failed</h2>\n{failures}" if failures else "")
        + "</main></body></html>\n"
    )


def _summary(entries: Sequence[Entry], cells: Mapping[str, Mapping[str, list[Entry]]]) -> str:
    counts = Counter(entry["outcome"] for entry in entries)
    flaky = sum(_is_flaky(runs) for by_board in cells.values() for runs in by_board.values())
    words = [f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped") if counts[outcome]]
    return ", ".join(words + ([f"{flaky} flaky"] if flaky else [])) or "no test ran on a board"


def _column(board: str, entries: Sequence[Entry]) -> str:
    kinds = dict.fromkeys(
        word for entry in entries if entry["board"] == board for word in (entry["micropython"], entry["cpu"]) if word
    )
    return f'<th scope="col">{escape(board)}<br><small>{"<br>".join(map(escape, kinds))}</small></th>'


def _cell(runs: Sequence[Entry], baseline: Figures) -> str:
    if not runs:
        return "<td>–</td>"
    passed = sum(run["outcome"] == "passed" for run in runs)
    if _is_flaky(runs):
        kind, word = "flaky", f"flaky: {passed} of {len(runs)} passed"
    else:
        kind = next((run["outcome"] for run in runs if run["outcome"] != "passed"), "passed")
        word = kind + (f", {len(runs)} times" if len(runs) > 1 else "")
    why = next((run["why"] for run in runs if run["outcome"] == "skipped"), "")
    note = f"<br><small>{escape(why)}</small>" if why else ""
    return f'<td class="{escape(kind)}">{escape(word)}{note}{"".join(_figures(runs, baseline))}</td>'


def _is_flaky(runs: Sequence[Entry]) -> bool:
    return {"passed", "failed"} <= {run["outcome"] for run in runs}


def _figures(runs: Sequence[Entry], baseline: Figures) -> list[str]:
    """Each figure of a test, the largest of its repeats, beside what it was."""
    lines = []
    for name in dict.fromkeys(name for run in runs for name in run["figures"]):
        figure, run = max(
            ((run["figures"][name], run) for run in runs if name in run["figures"]), key=lambda one: one[0]
        )
        before = baseline.get(run["test"], {}).get(name)
        text = f"{name}: {figure:,g}"
        if before is not None:
            text += f" (was {before:,g}" + (f", {100 * (figure - before) / before:+.1f} %)" if before else ")")
        lines.append(f'<span class="figure">{escape(text)}</span>')
    return lines


def _failure(number: int, entry: Entry) -> str:
    links = ", ".join(f'<a href="{escape(name)}">{escape(what)}</a>' for what, name in entry["files"].items())
    console = f"<h4>Console</h4>{_text(entry['console'], f'Console {number}')}" if entry["console"] else ""
    return (
        f"<section><h3>{escape(entry['row'])} on {escape(entry['board'])}</h3>\n"
        + (f"<p>Kept of the board: {links}</p>\n" if links else "")
        + f"{_text(entry['why'], f'Failure {number}')}\n{console}</section>\n"
    )


def _text(text: str, label: str) -> str:
    return f'<pre tabindex="0" role="region" aria-label="{escape(label)}">{escape(text)}</pre>'
