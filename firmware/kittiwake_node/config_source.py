"""Kinds of sources: which there are, what makes them, their settings. Takes and gives plain dicts; knows no file."""

from .config_checks import check_room, with_defaults
from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

# Kind -> (module of io/ whose make_source(channel, clock) makes it, its settings with their defaults, None where
# config_sensor.py has them). This is the one list of kinds.
KINDS: "dict[str, tuple[str, Settings | None]]" = {
    "replay": ("replay", {"kind": "replay", "path": "", "follow": False}),
    "link": ("link_source", {"kind": "link", "room": 1024}),
    "wav": ("audio", {"kind": "wav", "path": ""}),
    "i2s": ("audio", None),
    "timer": ("ticked", {"kind": "timer", "room": 256, "sensor": {}}),
    "adc": ("sensors", None),
    "tmp105": ("sensors", None),
    "lis3dh": ("sensors", None),
    "mpu6050": ("sensors", None),
}
# What a timer's interrupt reads: kind -> the setting that it must have.
TIMER_SENSORS = {"wave": "path", "adc": "pin"}


def check_source(settings: "Settings", rate_hz: int, bits: int, where: str) -> "Settings":
    """Fill in and check a source's settings.

    Args:
        settings: the channel's source; {} for none, which only a node whose sources come from elsewhere can start with.
        rate_hz: the channel's samples a second; 0 for no pace.
        bits: of its samples.
        where: what stands before a setting's name in an error.

    Returns:
        A new dict with every setting of that kind.

    Raises:
        ConfigError: names the setting, what is wrong and what would be right.
    """
    kind = settings.get("kind")
    if kind is None:
        return settings
    if kind not in KINDS:
        raise ConfigError(where + "kind", "%r is not one of: %s" % (kind, ", ".join(sorted(KINDS))))
    defaults = KINDS[kind][1]
    if defaults is None:
        from .config_sensor import check_sensor  # boards without a sensor need not load it

        return check_sensor(settings, rate_hz, bits, where)
    source = with_defaults(defaults, settings, where)
    if kind == "replay" and not source["path"]:
        raise ConfigError(where + "path", "name the file of int16 samples")
    if kind == "link":
        check_room(source, 1, where)
    if kind == "timer":
        check_room(source, 2, where, True)
        _check_timer(source["sensor"], rate_hz, where)
    return source


def _check_timer(sensor: "Settings", rate_hz: int, where: str) -> None:
    if rate_hz < 1:
        raise ConfigError(where + "kind", "a timer has a pace: give the channel a rate_hz of 1 or more")
    if sensor.get("kind") not in TIMER_SENSORS:
        raise ConfigError(
            where + "sensor", "%r: a table whose kind is %s" % (sensor, " or ".join(sorted(TIMER_SENSORS)))
        )
    needed = TIMER_SENSORS[sensor["kind"]]
    if needed not in sensor:
        raise ConfigError(where + "sensor." + needed, "is missing")
