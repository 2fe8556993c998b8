"""Features to a model's input by viper: a table of the front end's values.

Must not know how the table was made. The definition is plain_wake.
"""

import micropython
from micropython import const

_CHANNELS = const(40)
_LAST = const(670)


@micropython.viper
def quantise(features: ptr16, table: ptr8, out: ptr8, at: int):
    """As plain_wake.quantise. Does not allocate; `out` must hold at + 40 bytes."""
    for i in range(_CHANNELS):
        f = features[i]
        if f > _LAST:
            f = _LAST
        out[at + i] = table[f]
