"""Sensors' settings, checked before anything starts. Loaded where a channel has one; knows no bus and no pin."""

from .config_checks import check_room, with_defaults
from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

I2C_DEFAULTS: "Settings" = {"kind": "machine", "id": 0, "freq": 400000, "scl": "", "sda": "", "base": 0}
# What a sensor's settings are by default, the I2S microphone's among them; "pin" takes a number or a name.
DEFAULTS: "dict[str, Settings]" = {
    "adc": {"kind": "adc", "pin": "", "room": 1024, "atten_db": 0},
    "i2s": {"kind": "i2s", "sck": "", "ws": "", "sd": "", "id": 0, "ibuf": 16384, "blocks": 8, "block_samples": 480},
    "tmp105": {"kind": "tmp105", "address": 0x48, "i2c": {}},
    "lis3dh": {"kind": "lis3dh", "address": 0x18, "axis": "z", "range_g": 2, "i2c": {}},
    "mpu6050": {"kind": "mpu6050", "address": 0x68, "axis": "z", "range_g": 2, "i2c": {}},
}
_RANGES_G = (2, 4, 8, 16)
_LIS3DH_HZ = (1, 10, 25, 50, 100, 200, 400, 1344)
_ADDRESSES = {
    "tmp105": tuple(range(0x48, 0x50)),
    "lis3dh": (0x18, 0x19),
    "mpu6050": (0x68, 0x69),
}
_LEAST_BITS = {"tmp105": 12, "lis3dh": 12, "mpu6050": 16}
_ATTENUATIONS_DB = (0, 2, 6, 11)
_PINS = ("pin", "scl", "sda", "sck", "ws", "sd")


def check_sensor(settings: "Settings", rate_hz: int, bits: int, where: str) -> "Settings":
    """Fill in and check a sensor's settings.

    Args:
        settings: the channel's source, its kind one of DEFAULTS.
        rate_hz: the channel's samples a second; 0 for no pace.
        bits: of its samples.
        where: what stands before a setting's name in an error.

    Returns:
        A new dict with every setting of the sensor.

    Raises:
        ConfigError: names the setting, what is wrong and what would be right.
    """
    kind = settings["kind"]
    source = _with_pins(DEFAULTS[kind], settings, where)
    if rate_hz < 1:
        raise ConfigError(where + "kind", "a sensor has a pace: give the channel a rate_hz of 1 or more")
    if bits < _LEAST_BITS.get(kind, 8):
        raise ConfigError(where + "kind", "%s gives %d bits, the channel has %d" % (kind, _LEAST_BITS[kind], bits))
    if kind == "adc":
        _check_adc(source, where)
        return source
    if kind == "i2s":
        for pin in ("sck", "ws", "sd"):
            if source[pin] == "":
                raise ConfigError(where + pin, "name the pin: an I2S microphone has sck, ws and sd")
        return source
    if source["address"] not in _ADDRESSES[kind]:
        known = ", ".join(["0x%02x" % address for address in _ADDRESSES[kind]])
        raise ConfigError(where + "address", "%r: %s" % (source["address"], known))
    source["i2c"] = _with_pins(I2C_DEFAULTS, source["i2c"], where + "i2c.")
    if source["i2c"]["kind"] not in ("machine", "sbcon"):
        raise ConfigError(where + "i2c.kind", "%r is not one of: machine, sbcon" % source["i2c"]["kind"])
    if kind != "tmp105":
        _check_accelerometer(source, rate_hz, where)
    return source


def _check_adc(source: "Settings", where: str) -> None:
    check_room(source, 2, where, True)
    if source["pin"] == "":
        raise ConfigError(where + "pin", "name the pin that is converted")
    _one_of(source, "atten_db", _ATTENUATIONS_DB, where)


def _check_accelerometer(source: "Settings", rate_hz: int, where: str) -> None:
    _one_of(source, "axis", ("x", "y", "z"), where)
    _one_of(source, "range_g", _RANGES_G, where)
    if source["kind"] == "lis3dh" and rate_hz not in _LIS3DH_HZ:
        known = ", ".join([str(hz) for hz in _LIS3DH_HZ])
        raise ConfigError(where + "kind", "a LIS3DH has no rate of %d Hz; there are: %s" % (rate_hz, known))
    if source["kind"] == "mpu6050" and (1000 % rate_hz or rate_hz < 4):
        raise ConfigError(
            where + "kind", "an MPU6050 has no rate of %d Hz; it divides 1000: 1000, 500, 250, 200, 125, 100" % rate_hz
        )


def _one_of(source: "Settings", key: str, known: tuple[object, ...], where: str) -> None:
    if source[key] not in known:
        raise ConfigError(where + key, "%r is not one of: %s" % (source[key], ", ".join([str(k) for k in known])))


def _with_pins(defaults: "Settings", settings: object, where: str) -> "Settings":
    """As with_defaults, but a pin is a number on one port and a name on the next."""
    if not isinstance(settings, dict):
        return with_defaults(defaults, settings, where)
    filled = with_defaults(
        defaults, {key: settings[key] for key in settings if key not in _PINS or key not in defaults}, where
    )
    for key in _PINS:
        if key in settings and key in defaults:
            if isinstance(settings[key], bool) or not isinstance(settings[key], (int, str)):
                raise ConfigError(where + key, "%r: the number or the name of a pin" % (settings[key],))
            filled[key] = settings[key]
    return filled
