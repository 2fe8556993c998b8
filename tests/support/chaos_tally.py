"""The lines of figures that chaos tests leave."""

from tests.support import tally


def add(line):
    """Leave a line."""
    tally.add(("chaos", line))


def lines():
    """Those that were left."""
    return [line for (line,) in tally.of("chaos")]
