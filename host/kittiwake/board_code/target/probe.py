"""Whether a MicroPython's unix port can be a board."""

import json
import sys


def print_probe():
    """Print its version, and whether it has LittleFS, as JSON."""
    try:
        import vfs

        has_littlefs = hasattr(vfs, "VfsLfs2")
    except ImportError:
        has_littlefs = False
    print(json.dumps([list(sys.implementation.version[:3]), has_littlefs]))
