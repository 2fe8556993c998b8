from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"


@pytest.fixture
def ready(board):
    """The board, with the project on it."""
    board.deploy(SRC)
    return board
