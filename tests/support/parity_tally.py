"""How many samples this run of pytest has held against the references, for the lines that end it."""

from collections import Counter

_samples = Counter()


def add(where, kernel, stage, samples):
    """Count samples whose answers were all equal: where ("unix"), by which kernel, of which stage ("drift")."""
    _samples[where, kernel, stage] += samples


def take_lines():
    """A line for each target and kernel, none when there was no parity; the counts begin anew."""
    out = []
    for where, kernel in sorted({(where, kernel) for where, kernel, _ in _samples}):
        stages = {stage: n for (w, k, stage), n in sorted(_samples.items()) if (w, k) == (where, kernel)}
        parts = ", ".join(f"{stage} {count:,}" for stage, count in stages.items())
        out.append(f"parity {where} {kernel}: {sum(stages.values()):,} samples equal to the references ({parts})")
    _samples.clear()
    return out
