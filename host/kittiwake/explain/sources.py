"""Explain a channel's sensor: what an LSB is, how late the loop may be, and what its samples must be scaled with.

Arithmetic on settings that the firmware has checked; the sensors' figures are their datasheets'.
"""

from __future__ import annotations

from fractions import Fraction

from kittiwake.explain.detectors import Explanation, Settings

# Sensitivities in g an LSB, by full scale. STMicroelectronics DocID17530 Rev 2, table 4; InvenSense RM-MPU-6000A-00
# rev. 4.2, section 4.17.
_LIS3DH_G = {2: Fraction(1, 1000), 4: Fraction(2, 1000), 8: Fraction(4, 1000), 16: Fraction(12, 1000)}
_MPU6050_G = {2: Fraction(1, 16384), 4: Fraction(1, 8192), 8: Fraction(1, 4096), 16: Fraction(1, 2048)}
_FIFO_SAMPLES = {"lis3dh": 32, "mpu6050": 170}


def explain_source(channel: Settings) -> Explanation | None:
    """Explain a channel's source; None for one that is no sensor.

    Args:
        channel: of a checked node configuration: name, rate_hz, bits, source.
    """
    source, rate_hz = channel["source"], channel["rate_hz"]
    kind = source.get("kind")
    explanation = Explanation(channel["name"], f"source {kind}", source)
    if kind in _FIFO_SAMPLES:
        table = _LIS3DH_G if kind == "lis3dh" else _MPU6050_G
        g = table[source["range_g"]]
        explanation.facts["g_an_lsb"] = float(f"{float(g):.4g}")
        explanation.facts["loop_may_be_late_s"] = float(f"{_FIFO_SAMPLES[kind] / rate_hz:.4g}")
        explanation.notes.append(f'in g: scale = "{g}"; gravity is in it, and a lasting tilt is a level change')
        explanation.notes.append(
            f"one axis, {source['axis']}; the sensor paces itself, within some percent of {rate_hz} Hz"
        )
    elif kind == "adc":
        top = (1 << (channel["bits"] - 1)) - 1
        explanation.facts["loop_may_be_late_s"] = float(f"{source['room'] / rate_hz:.4g}")
        explanation.notes.append(f"samples are {-top - 1} to {top}, zero volts at {-top - 1}; a timer takes them")
        explanation.notes.append(
            f'in volts of a range of 3.3 V: scale = "33/{20 * (top + 1)}", offset = "33/20"; '
            "an ESP32's range depends on atten_db"
        )
    elif kind == "i2s":
        # One block is always the driver's.
        waiting = (source["blocks"] - 1) * source["block_samples"]
        if rate_hz:
            explanation.facts["loop_may_be_late_s"] = float(f"{waiting / rate_hz:.4g}")
        explanation.notes.append("samples are 16 bits of one slot; what finds the ring full is counted as overruns")
    elif kind == "tmp105":
        explanation.facts["degrees_an_lsb"] = 0.0625
        explanation.notes.append('in °C: scale = "1/16"; the chip converts every 220 ms, read faster it repeats itself')
    else:
        return None
    return explanation


def explain_nothing(channel: Settings) -> Explanation:
    """Say of a channel that has neither sensor, detector nor word that there is nothing to explain.

    Args:
        channel: of a checked node configuration.
    """
    kind = channel["source"]["kind"]
    explanation = Explanation(channel["name"], f"source {kind}", channel["source"])
    explanation.notes.append("no sensor and no detector: its samples are summed up, and nothing is judged")
    return explanation
