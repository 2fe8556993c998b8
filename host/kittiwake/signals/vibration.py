"""The guide's simulated vibration sensor, in hundredths of a mm/s: 4.20 + N(0, 0.30), now and then + U(3, 8).

Knows the signal only: not what samples it, detects in it or carries it.
"""

from __future__ import annotations

import random
from array import array

MEAN_MM_S = 4.2
SIGMA_MM_S = 0.3
ANOMALY_MM_S = (3.0, 8.0)
LSB_PER_MM_S = 100


def samples(count: int, rate_hz: int = 1000, anomalies_per_s: float = 2.0, seed: int = 0) -> array[int]:
    """Make readings; the same arguments give the same readings on every machine and Python.

    Args:
        count: how many.
        rate_hz: samples a second, which makes a probability of `anomalies_per_s`.
        anomalies_per_s: how many samples a second are anomalies, on average; each sample is drawn by itself.
        seed: of the random numbers.

    Returns:
        array('h') of `count` readings in 0.01 mm/s, rounded half to even.

    Raises:
        ValueError: a negative count, no rate, or more anomalies than samples.
        Source: the guide's sensor, whose own rate of 0.05 a sample at 2 Hz is `anomalies_per_s` 0.1.
    """
    if count < 0 or rate_hz <= 0 or not 0 <= anomalies_per_s <= rate_hz:
        raise ValueError(f"count {count}, rate_hz {rate_hz}, anomalies_per_s {anomalies_per_s}")
    # random.Random's uniform and gauss are defined by its 53-bit floats, which are the same everywhere.
    generator = random.Random(seed)
    share = anomalies_per_s / rate_hz
    readings = array("h", bytes(2 * count))
    for index in range(count):
        value = generator.gauss(MEAN_MM_S, SIGMA_MM_S)
        if generator.random() < share:
            value += generator.uniform(*ANOMALY_MM_S)
        readings[index] = round(value * LSB_PER_MM_S)
    return readings
