"""The most heap that a network takes on a target while it is loaded and run: found by trial, not by adding up.

Knows targets and the firmware's executor by name. A trial leaves a fresh board so many bytes of its heap in one piece
and fills all else, then loads and invokes; the least with which that works is the peak, garbage and gaps included.
"""

from __future__ import annotations

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.model.run import on_target
from kittiwake.target.base import Target

GRAIN_BYTES = 64
_TIMEOUT_S = 300.0


def measure(target: Target, kernel: str, mapped: bool = True, plan_name: str = on_target.PLAN_NAME) -> int:
    """Find the peak of a plan that `on_target.load` has put there.

    Args:
        target: started; rebooted by every trial, so what was loaded is gone afterwards.
        kernel: which kernels run it.
        mapped: use the plan where it lies in flash, on boards that can.
        plan_name: its file.

    Returns:
        Bytes, to GRAIN_BYTES: modules, kernels, plan where it is not mapped, model, both ends' buffers, an invoke.

    Raises:
        TargetError: the board failed.
    """
    # Where so much is not free in one piece, a trial says that it fits: the caller's own load has shown that all does.
    fails, fits = 0, _fresh(target) // GRAIN_BYTES
    while fits - fails > 1:
        middle = (fits + fails) // 2
        _fresh(target)
        if _works(target, middle, kernel, mapped, plan_name):
            fits = middle
        else:
            fails = middle
    return fits * GRAIN_BYTES


def _fresh(target: Target) -> int:
    target.reboot()
    target.exec(board_code.source("model/peak_heap"))
    return int(target.exec("print_free()"))


def _works(target: Target, left: int, kernel: str, mapped: bool, plan_name: str) -> bool:
    size = left * GRAIN_BYTES
    target.exec(board_code.call("fill", size, GRAIN_BYTES))
    trial = board_code.call("trial", size, plan_name, kernel, mapped)
    outcome = target.exec(f"print({trial})", _TIMEOUT_S).strip()
    if outcome not in ("runs", "short"):
        raise TargetError(f"{target.name} could not leave {size} bytes of its heap free: {outcome}")
    return outcome == "runs"
