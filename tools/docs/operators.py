"""The table of a network's operators that are compiled, from the compiler's own."""

from __future__ import annotations

from kittiwake.model.read import admit, folding
from tools.docs import markdown

_HEAD = ("operator", "what becomes of it")


def page() -> str:
    """One table in Markdown."""
    kept = [(markdown.code(name), "steps of the plan, or none where views do") for name in sorted(admit.OPERATORS)]
    folded = [
        (markdown.code(name), "computed on the host, where it depends on shapes alone")
        for name in sorted(set(folding.OPERATORS) - set(admit.OPERATORS))
    ]
    return "\n".join([markdown.MADE, "# Operators of networks\n", markdown.table(_HEAD, [*kept, *folded])])
