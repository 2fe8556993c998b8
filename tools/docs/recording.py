"""The recording beside the example `temperature`: a cold room's air, a reading a minute; its compressor fails.

python -m tools.docs.recording > examples/temperature/readings.csv
"""

import math
import random
import sys

_MINUTES = 2880
_FAILS_AT = 2400


def lines() -> list[str]:
    """The file's lines: a head, then minute and degrees; the same in every run."""
    generator = random.Random(7)
    out = ["minute,celsius"]
    for minute in range(_MINUTES):
        degrees = 4.0 + 0.8 * math.sin(2 * math.pi * minute / 40) + generator.gauss(0, 0.08)
        if minute % 360 in range(200, 212):  # somebody is at the door
            degrees += 0.5
        degrees += max(0, minute - _FAILS_AT) * 0.01
        out.append(f"{minute},{degrees:.3f}")
    return out


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
