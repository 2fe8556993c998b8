"""Where firmware runs: one interface for the unix port, emulated boards and real ones.

This package knows nothing of what the firmware does with the records it makes.
"""

from kittiwake.target.base import Target, available, names, open_target

__all__ = ["Target", "available", "names", "open_target"]
