"""The board's clocks."""

import json
import time

_FROM_1970_TO_2000_S = 946684800


def print_ticks():
    """Print its milliseconds."""
    print(time.ticks_ms())


def print_utc():
    """Print its seconds since 1970 as JSON, or null when nobody has set it.

    Ports count from 1970 or from 2000, and some have no calendar. A clock that nobody set is in the past.
    """
    utc_s = None
    if hasattr(time, "gmtime") and time.gmtime()[0] >= 2024:
        utc_s = time.time() + (_FROM_1970_TO_2000_S if time.gmtime(0)[0] == 2000 else 0)
    print(json.dumps(utc_s))
