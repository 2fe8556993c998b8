"""Counts that tests leave for the lines that end the output; over several processes of pytest they are summed.

Knows numbers under keys; what they mean, and how a line says it, is the business of the modules that count
(parity_tally, network_tally, cut_tally, chaos_tally).
"""

from collections import Counter

_counts = Counter()


def add(key, count=1):
    """Count.

    Args:
        key: a tuple; its first entry is the name of what is counted.
        count: how many more.
    """
    _counts[key] += count


def of(name):
    """What was counted under a name.

    Returns:
        dict of the rest of the key -> count, in the order of the keys.
    """
    return {key[1:]: count for key, count in sorted(_counts.items(), key=lambda item: repr(item[0])) if key[0] == name}


def take():
    """All counts, in the form that another process adds by `absorb`; they begin anew here."""
    taken = dict(_counts)
    _counts.clear()
    return taken


def absorb(counts):
    """Add what another process took."""
    _counts.update(counts)
