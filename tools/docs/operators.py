"""The table of a network's operators that are compiled, from the compiler's own."""

from __future__ import annotations

from kittiwake.model.read import admit, folding, halfword_rules
from tools.docs import markdown

_HEAD = ("operator", "what becomes of it")


def page() -> str:
    """One table in Markdown."""
    kept = [(markdown.code(name), _steps(name)) for name in sorted(admit.OPERATORS)]
    folded = [
        (markdown.code(name), "computed on the host, where it depends on shapes alone")
        for name in sorted(set(folding.OPERATORS) - set(admit.OPERATORS))
    ]
    return "\n".join([markdown.MADE, "# Operators of networks\n", markdown.table(_HEAD, [*kept, *folded])])


def _steps(name: str) -> str:
    steps = "steps of the plan, or none where views do"
    return f"{steps}; of int16, too" if name in halfword_rules.KINDS else steps
