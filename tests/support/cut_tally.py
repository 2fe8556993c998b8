"""What power cuts have found in this run of pytest, for the line that ends it."""

from tests.support import tally

KINDS = ("lost", "altered", "invented", "reordered", "reused", "miscounted")


def add(where, cuts, faults):
    """Count cuts made somewhere ("unix", "qemu:virt") and the faults found, by kind."""
    tally.add(("cuts", where), cuts)
    for kind, count in faults.items():
        if kind not in KINDS:
            raise KeyError(kind)
        tally.add(("faults", kind), count)


def lines():
    """The figures in one line; none when there was no cut."""
    cuts, faults = tally.of("cuts"), tally.of("faults")
    if not cuts:
        return []
    places = ", ".join(f"{where} {count}" for (where,), count in sorted(cuts.items()))
    kinds = ", ".join(f"{kind} {faults.get((kind,), 0)}" for kind in KINDS)
    return [f"power cuts {sum(cuts.values())} ({places}): {kinds}"]
