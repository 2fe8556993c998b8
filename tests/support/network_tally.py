"""What networks this run of pytest has held against TFLite Micro, for the lines that end it."""

from tests.support import tally


def add(where, kernel, what, invokes):
    """Count invokes whose outputs were all equal: where ("unix"), by which kernel, of what ("graphs")."""
    tally.add(("networks", where, kernel, what), invokes)


def cover(entries):
    """Count operators and edges of parameters that came up (tests.support.coverage)."""
    for entry in entries:
        tally.add(("covered", entry))


def lines():
    """A line for each target and kernel, and what the graphs covered; none when no network ran."""
    counts = tally.of("networks")
    out = []
    for where, kernel in sorted({key[:2] for key in counts}):
        parts = ", ".join(f"{key[2]} {n:,}" for key, n in sorted(counts.items()) if key[:2] == (where, kernel))
        out.append(f"networks {where} {kernel}: invokes equal to TFLite Micro: {parts}")
    covered = {name: n for (name,), n in sorted(tally.of("covered").items())}
    if covered:
        operators = {name: n for name, n in covered.items() if name.isupper() and " " not in name}
        edges = {name: n for name, n in covered.items() if name not in operators}
        listed = ", ".join(f"{name} {n}" for name, n in operators.items())
        out.append(f"networks covered {len(operators)} operators: {listed}")
        least = min(edges.values())
        out.append(f"networks covered {len(edges)} edges of parameters, each {least} times or more: {', '.join(edges)}")
    return out
