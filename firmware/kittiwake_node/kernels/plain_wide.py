"""The rolling z-score, both forms, for samples of 17 to 24 bits: ring and buf are array('i'), u = x + 2^23.

Must not know how alerts are reported. State layout: see the package's docstring.
"""

from . import plain_lagged, plain_zscore

if False:  # for mypy alone
    from kittiwake_types import Samples


def find(state: "Samples", ring: "Samples", buf: "Samples") -> int:
    """As plain_zscore.find, for wide samples; n <= 256."""
    return plain_zscore.find_offset(state, ring, buf, 1 << 23)


def find_lagged(state: "Samples", ring: "Samples", buf: "Samples") -> int:
    """As plain_lagged.find, for wide samples; n <= 256."""
    return plain_lagged.find_offset(state, ring, buf, 1 << 23)
