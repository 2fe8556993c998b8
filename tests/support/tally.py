"""What power cuts have found in this run of pytest, for the line that ends it."""

KINDS = ("lost", "altered", "invented", "reordered", "reused", "miscounted")

_cuts = {}
_faults = dict.fromkeys(KINDS, 0)


def add(where, cuts, faults):
    """Count cuts made somewhere ("unix", "qemu:virt") and the faults found, by kind."""
    _cuts[where] = _cuts.get(where, 0) + cuts
    for kind, count in faults.items():
        _faults[kind] += count


def line():
    """The figures, "" when there was no cut."""
    if not _cuts:
        return ""
    places = ", ".join(f"{where} {count}" for where, count in sorted(_cuts.items()))
    found = ", ".join(f"{kind} {_faults[kind]}" for kind in KINDS)
    return f"power cuts {sum(_cuts.values())} ({places}): {found}"
