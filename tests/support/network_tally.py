"""What networks this run of pytest has held against TFLite Micro, for the lines that end it."""

from collections import Counter

_invokes = Counter()
_covered = Counter()


def add(where, kernel, what, invokes):
    """Count invokes whose outputs were all equal: where ("unix"), by which kernel, of what ("graphs")."""
    _invokes[where, kernel, what] += invokes


def cover(found):
    """Count operators and edges of parameters that came up (tests.support.coverage)."""
    _covered.update(found)


def take_lines():
    """A line for each target and kernel, and what the graphs covered, once; none when no network ran."""
    out = []
    for where, kernel in sorted({key[:2] for key in _invokes}):
        parts = ", ".join(f"{key[2]} {n:,}" for key, n in sorted(_invokes.items()) if key[:2] == (where, kernel))
        out.append(f"networks {where} {kernel}: invokes equal to TFLite Micro: {parts}")
    if _covered:
        operators = {name: n for name, n in sorted(_covered.items()) if name.isupper() and " " not in name}
        edges = [(n, name) for name, n in _covered.items() if name not in operators]
        counts = ", ".join(f"{name} {n}" for name, n in operators.items())
        out.append(f"networks covered {len(operators)} operators: {counts}")
        listed = ", ".join(name for _, name in sorted(edges, key=lambda edge: edge[1]))
        out.append(f"networks covered {len(edges)} edges of parameters, each {min(edges)[0]} times or more: {listed}")
    _invokes.clear()
    _covered.clear()
    return out
