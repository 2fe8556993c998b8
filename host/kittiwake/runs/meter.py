"""How a microphone was in each second of a recording, as the firmware's meter on a target has it.

The host only sends samples and reads what was measured. It knows no wake words.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.signals.wav import RATE_HZ
from kittiwake.target.base import Target

_TIMEOUT_S = 300.0
_PIECE_SAMPLES = 1600  # small enough for the smallest heap
_DEAD = 2  # as speech.meter has it


@dataclass(frozen=True)
class Level:
    """How a microphone was in one second.

    Attributes:
        second: from 0.
        level, offset: deviation and mean, LSB, towards 0.
        clipped_ppm: samples at an end of the range, in millionths.
        is_dead: all samples were alike.
    """

    second: int
    level: int
    offset: int
    clipped_ppm: int
    is_dead: bool


def levels(target: Target, samples: array[int], kernel: str) -> Iterator[Level]:
    """Let the firmware's meter measure each whole second of a recording.

    Args:
        target: started.
        samples: at 16 kHz.
        kernel: which kernels.

    Raises:
        TargetError: the board failed.
    """
    target.exec(board_code.source("runs/meter") + board_code.call("make_meter", kernel))
    for second in range(len(samples) // RATE_HZ):
        for start in range(second * RATE_HZ, (second + 1) * RATE_HZ, _PIECE_SAMPLES):
            text = base64.b64encode(samples[start : start + _PIECE_SAMPLES].tobytes()).decode()
            target.exec(board_code.call("measure_piece", text), _TIMEOUT_S)
        state, level, offset, clipped = map(int, target.exec("print_second()", _TIMEOUT_S).split())
        yield Level(second, level, offset, clipped, state == _DEAD)
