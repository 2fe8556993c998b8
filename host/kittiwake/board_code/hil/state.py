"""How a board is after a test that failed: its heap, its clock, the folder that it is in."""

import gc
import json
import os
import time


def print_state():
    """Print it as JSON."""
    free, used = gc.mem_free(), gc.mem_alloc()
    gc.collect()
    state = {
        "heap_free": free,
        "heap_used": used,
        "heap_used_after_collection": gc.mem_alloc(),
        "uptime_ms": time.ticks_ms(),
        # No deeper: a virtual board could be led all over its host.
        "folder": os.getcwd(),
        "files": {name: rest[1] if len(rest) > 1 else None for name, kind, *rest in os.ilistdir() if kind != 0x4000},
    }
    print(json.dumps(state))
