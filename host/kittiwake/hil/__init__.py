"""Boards under test: what a test of anybody's project asks of a board, and the bench that boards stand on.

Knows targets; neither pytest nor what the firmware of this project does.
"""

from kittiwake.hil.board import Board
from kittiwake.hil.instruments import Instrument

__all__ = ["Board", "Instrument"]
