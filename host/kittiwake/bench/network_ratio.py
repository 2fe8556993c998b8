"""The ratio of the unix port's time for a network, in viper, to TFLite Micro's C++: both in one run, in turns.

It knows how to time okay_nabu in both; the board is the unix port, whose processor is this machine's own.
"""

from __future__ import annotations

from importlib import util

from kittiwake.bench.cases import networks
from kittiwake.bench.measure import Row
from kittiwake.model.run import check, on_target, oracle
from kittiwake.target.base import Target

MOST, AIM = 4, 2
_ROUNDS = 7
_INVOKES = 200


def run(board: Target) -> list[Row]:
    """Time both in turns, so that what else the machine does meets both; the best of each counts.

    Args:
        board: started, the unix port.

    Returns:
        Rows with microseconds an invoke of each, and the ratio; none where the model or TFLite Micro is not installed.
    """
    content = networks.wake_word()
    if content is None or util.find_spec("tflite_micro") is None:
        return []
    compiled = networks.compiled("okay_nabu", "viper")
    inputs = check.inputs_of(compiled.program.inputs, compiled.graph, _INVOKES)
    on_target.load(board, compiled.plan, "viper")
    viper = micro = float("inf")
    with oracle.Oracle() as reference:
        for _ in range(_ROUNDS):
            viper = min(viper, on_target.cost(board)["microseconds"])
            micro = min(micro, reference.run(content, inputs)[1] * 1e6)
    rows = [("viper", viper), ("tflite-micro", micro)]
    ratio = viper / micro
    return [
        *(Row(f"ratio/okay_nabu/{name}", round(us, 2), "us", "invoke", None, None) for name, us in rows),
        Row("ratio/okay_nabu/viper-to-tflite-micro", round(ratio, 2), "times", "invoke", MOST, ratio <= MOST, AIM),
    ]
