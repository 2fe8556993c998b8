"""Features to a model's input by definition: a table of the front end's values, as long as its largest one.

Must not know how the table was made. Runs anywhere.
"""

if False:  # for mypy alone
    from kittiwake_types import Buffer, Memory, Samples

CHANNELS = 40
ENTRIES = 671  # the front end's largest value is 670


def quantise(features: "Samples", table: "Buffer", out: "Memory", at: int) -> None:
    """Replace the 40 features of a frame by their entries in a table; values beyond it take its last one.

    Args:
        features: array('H') of 40; read only.
        table: bytearray of ENTRIES.
        out: bytearray; out[at:at + 40] is written.
        at: where in `out`.
    """
    for i in range(CHANNELS):
        out[at + i] = table[min(features[i], ENTRIES - 1)]
