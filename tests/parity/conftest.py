"""What the parity tests share: the firmware under the unix port, and TFLite Micro."""

import pytest

from kittiwake.model.run import oracle
from tests.parity.boards import UnixPort


@pytest.fixture(scope="module")
def unix():
    board = UnixPort()
    yield board
    board.close()


@pytest.fixture(scope="module")
def micro():
    with oracle.Oracle() as opened:
        yield opened
