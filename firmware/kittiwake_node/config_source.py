"""Sources' settings, checked before anything starts. Takes and gives plain dicts; it knows no bus and no pin."""

from .config_link import with_defaults
from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

I2C_DEFAULTS: "Settings" = {"kind": "machine", "id": 0, "freq": 400000, "scl": "", "sda": "", "base": 0}
# What a sensor's settings are by default; "pin" takes a number or a name.
DEFAULTS: "dict[str, Settings]" = {
    "adc": {"kind": "adc", "pin": "", "room": 1024, "atten_db": 0},
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
_PINS = ("pin", "scl", "sda")
# Sources that are no sensor; of the microphone's and the recording's settings, io/audio.py knows more.
_OTHERS = ("replay", "link", "timer", "wav", "i2s")
_ROOM_MOST = 16384


def check_source(given: "Settings", rate_hz: int, bits: int, where: str) -> "Settings":
    """Fill in and check a source's settings.

    Args:
        given: the channel's source.
        rate_hz: of the channel.
        bits: of the channel's samples.
        where: what stands before a setting's name in an error.

    Returns:
        A new dict with every setting of a sensor; another source's as it was. Of replay and link
        config.py knows all there is to check.

    Raises:
        ConfigError: names the setting, what is wrong and what would be right.
    """
    kind = given.get("kind")
    if kind not in DEFAULTS:
        _check_other(given, kind, rate_hz, where)
        return given
    source = _with_pins(DEFAULTS[kind], given, where)
    if rate_hz < 1:
        raise ConfigError(where + "kind", "a sensor has a pace: give the channel a rate_hz of 1 or more")
    if bits < _LEAST_BITS.get(kind, 8):
        raise ConfigError(where + "kind", "%s gives %d bits, the channel has %d" % (kind, _LEAST_BITS[kind], bits))
    if kind == "adc":
        _check_adc(source, where)
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


def _check_other(given: "Settings", kind: object, rate_hz: int, where: str) -> None:
    if kind not in _OTHERS:
        known = ", ".join(sorted(_OTHERS + tuple(DEFAULTS)))
        raise ConfigError(where + "kind", "%r is not one of: %s" % (kind, known))
    if kind == "timer":
        _check_room(given.get("room", 256), where)
        if rate_hz < 1:
            raise ConfigError(where + "kind", "a timer has a pace: give the channel a rate_hz of 1 or more")
        sensor = given.get("sensor", {})
        if not isinstance(sensor, dict) or sensor.get("kind") not in ("wave", "adc"):
            raise ConfigError(where + "sensor", "%r: a table whose kind is wave or adc" % (sensor,))
        needed = "path" if sensor["kind"] == "wave" else "pin"
        if needed not in sensor:
            raise ConfigError(where + "sensor." + needed, "is missing")


def _check_room(room: object, where: str) -> None:
    if isinstance(room, bool) or not isinstance(room, int) or not 2 <= room <= _ROOM_MOST or room & (room - 1):
        raise ConfigError(where + "room", "%r samples: a power of two from 2 to %d" % (room, _ROOM_MOST))


def _check_adc(source: "Settings", where: str) -> None:
    _check_room(source["room"], where)
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


def _with_pins(defaults: "Settings", given: object, where: str) -> "Settings":
    """As with_defaults, but a pin is a number on one port and a name on the next."""
    if not isinstance(given, dict):
        return with_defaults(defaults, given, where)
    filled = with_defaults(
        defaults, {key: given[key] for key in given if key not in _PINS or key not in defaults}, where
    )
    for key in _PINS:
        if key in given and key in defaults:
            if isinstance(given[key], bool) or not isinstance(given[key], (int, str)):
                raise ConfigError(where + key, "%r: the number or the name of a pin" % (given[key],))
            filled[key] = given[key]
    return filled
