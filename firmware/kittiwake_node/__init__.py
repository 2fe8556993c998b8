"""Kittiwake's firmware: the package that runs on the board (and, for its codec, on the gateway)."""

__version__ = "0.1.0"
