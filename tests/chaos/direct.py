"""What the tests of boards that speak MQTT themselves share."""

from tests.support.hil import SOAK
from tests.support.waiting import until

SECONDS = 170 if SOAK else 6
LIMIT_S = 60 + SECONDS
DEVICE = "kw-demo"


def wait(board, condition, what):
    """Until a condition holds, and the node runs meanwhile; else with what the node said last."""

    def holds():
        board.check_running()
        return condition()

    return until(holds, lambda: f"{what}; {board.log_path.read_text()[-500:]}", LIMIT_S, 0.05)
