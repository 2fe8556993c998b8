"""Sensors' settings: defaults, pins by number or name, what cannot be with the mend, and what is explained of them."""

import pytest

from kittiwake.explain.sources import explain_source
from kittiwake_node.config import check
from kittiwake_node.errors import ConfigError


def checked(source, **channel):
    return check({"channels": [{"source": source, **channel}]})["channels"][0]


def test_source_of_a_sensor_gets_its_defaults():
    assert checked({"kind": "lis3dh"}, rate_hz=400)["source"] == {
        "kind": "lis3dh",
        "address": 0x18,
        "axis": "z",
        "range_g": 2,
        "i2c": {"kind": "machine", "id": 0, "freq": 400000, "scl": "", "sda": "", "base": 0},
    }
    adc = checked({"kind": "adc", "pin": "A0"}, bits=12)["source"]
    assert adc == {"kind": "adc", "pin": "A0", "room": 1024, "atten_db": 0}
    assert checked({"kind": "mpu6050", "i2c": {"scl": 22, "sda": "B7"}})["source"]["i2c"]["scl"] == 22
    assert checked({"kind": "link", "room": 5})["source"] == {"kind": "link", "room": 5}


@pytest.mark.parametrize(
    ("source", "channel", "told"),
    [
        ({"kind": "lis3dh"}, {}, "a LIS3DH has no rate of 1000 Hz; there are: 1, 10, 25, 50, 100, 200, 400, 1344"),
        ({"kind": "mpu6050"}, {"rate_hz": 300}, "an MPU6050 has no rate of 300 Hz"),
        ({"kind": "mpu6050"}, {"rate_hz": 2}, "an MPU6050 has no rate of 2 Hz"),
        ({"kind": "mpu6050"}, {"bits": 12}, "mpu6050 gives 16 bits, the channel has 12"),
        ({"kind": "lis3dh", "axis": "w"}, {"rate_hz": 100}, "channels[0].source.axis: 'w' is not one of: x, y, z"),
        ({"kind": "lis3dh", "range_g": 3}, {"rate_hz": 100}, "range_g: 3 is not one of: 2, 4, 8, 16"),
        ({"kind": "lis3dh", "address": 0x68}, {"rate_hz": 100}, "address: 104: 0x18, 0x19"),
        ({"kind": "lis3dh", "range": 2}, {"rate_hz": 100}, "source.range: no such setting"),
        ({"kind": "lis3dh", "i2c": {"speed": 1}}, {"rate_hz": 100}, "source.i2c.speed: no such setting"),
        ({"kind": "lis3dh", "i2c": {"kind": "spi"}}, {"rate_hz": 100}, "'spi' is not one of: machine, sbcon"),
        ({"kind": "lis3dh", "i2c": {"scl": 1.5}}, {"rate_hz": 100}, "1.5: the number or the name of a pin"),
        ({"kind": "lis3dh", "i2c": 3}, {"rate_hz": 100}, "source.i2c: 3: a table is wanted"),
        ({"kind": "adc"}, {}, "name the pin"),
        ({"kind": "adc", "pin": 1, "room": 1000}, {}, "a power of two from 2 to 16384"),
        ({"kind": "adc", "pin": 1, "atten_db": 3}, {}, "atten_db: 3 is not one of: 0, 2, 6, 11"),
        ({"kind": "adc", "pin": True}, {}, "True: the number or the name of a pin"),
        ({"kind": "tmp105", "address": 0x50}, {}, "source.address"),
        ({"kind": "tmp105"}, {"rate_hz": 0}, "give the channel a rate_hz"),
    ],
)
def test_source_that_cannot_be_is_named_with_the_mend(source, channel, told):
    with pytest.raises(ConfigError) as caught:
        checked(source, **channel)
    assert told in str(caught.value)


def test_explain_source_says_scales_and_patience():
    lis3dh = explain_source(checked({"kind": "lis3dh", "range_g": 16}, rate_hz=400))
    assert lis3dh.facts == {"g_an_lsb": 0.012, "loop_may_be_late_s": 0.08}
    assert any('scale = "3/250"' in note for note in lis3dh.notes)
    mpu = explain_source(checked({"kind": "mpu6050"}))
    assert mpu.facts["loop_may_be_late_s"] == 0.17 and any('"1/16384"' in note for note in mpu.notes)
    adc = explain_source(checked({"kind": "adc", "pin": 34}, bits=12))
    # 4096 steps over 3.3 V, the lowest of them at zero volts.
    assert any('scale = "33/40960", offset = "33/20"' in note for note in adc.notes)
    assert explain_source(checked({"kind": "link"})) is None
