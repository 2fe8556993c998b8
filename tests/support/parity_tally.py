"""How many samples this run of pytest has held against the references, for the lines that end it."""

from tests.support import tally


def add(where, kernel, stage, samples):
    """Count samples whose answers were all equal: where ("unix"), by which kernel, of which stage ("drift")."""
    tally.add(("parity", where, kernel, stage), samples)


def lines():
    """A line for each target and kernel; none when there was no parity."""
    counts = tally.of("parity")
    out = []
    for where, kernel in sorted({key[:2] for key in counts}):
        stages = {key[2]: count for key, count in sorted(counts.items()) if key[:2] == (where, kernel)}
        parts = ", ".join(f"{stage} {count:,}" for stage, count in stages.items())
        out.append(f"parity {where} {kernel}: {sum(stages.values()):,} samples equal to the references ({parts})")
    return out
