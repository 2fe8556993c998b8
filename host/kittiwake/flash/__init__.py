"""Flashing: MicroPython's image onto a board, by the vendors' tools, which run as programs and are never imported."""
