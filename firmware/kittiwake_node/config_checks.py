"""Checks that all settings share: names and kinds against defaults, and ranges. Plain dicts in, plain dicts out."""

from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

_ROOM_MOST = 16384


def with_defaults(defaults: "Settings", settings: object, where: str) -> "Settings":
    """A new dict of `settings` over `defaults`, keys and kinds checked. Raises ConfigError, naming the setting."""
    if not isinstance(settings, dict):
        raise ConfigError(where[:-1] or "configuration", "%r is not a table of settings" % (settings,))
    for key in settings:
        if key not in defaults:
            known = ", ".join(sorted(defaults))
            raise ConfigError(where + key, "no such setting; there are: %s" % known)
    merged = {}
    for key in defaults:
        value = settings.get(key, defaults[key])
        if not _same_kind(value, defaults[key]):
            raise ConfigError(where + key, "%s: %s is wanted" % (_shown(value), _kind_of(defaults[key])))
        # A copy: what a node does with its configuration must not reach the next one's defaults.
        merged[key] = value.copy() if isinstance(value, (dict, list)) else value
    return merged


def _same_kind(value: object, example: object) -> bool:
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(example, bool)
    for kind in (int, str, dict, list):
        if isinstance(example, kind):
            return isinstance(value, kind)
    return False


def _kind_of(example: object) -> str:
    if isinstance(example, bool):
        return "true or false"
    for kind, name in ((int, "a whole number"), (str, "a text in quotes"), (dict, "a table"), (list, "a list")):
        if isinstance(example, kind):
            return name
    return "something else"


def _shown(value: object) -> str:
    """A value as its writer knows it: in the form of TOML and JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"%s"' % value
    return _kind_of(value) if isinstance(value, (dict, list)) else "%r" % (value,)


def in_range(config: "Settings", key: str, low: int, high: int, where: str) -> None:
    """Refuse a number that is not within low to high. Raises ConfigError, naming the setting."""
    if not low <= config[key] <= high:
        raise ConfigError(where + key, "%d is not within %d to %d" % (config[key], low, high))


def check_room(source: "Settings", least: int, where: str, is_power: bool = False) -> None:
    """Check how many samples may wait.

    Args:
        source: settings; "room" is looked at.
        least: samples.
        where: what stands before a setting's name in an error.
        is_power: whether only powers of two will do.

    Raises:
        ConfigError: "room".
    """
    room = source["room"]
    if not least <= room <= _ROOM_MOST or is_power and room & (room - 1):
        range_text = "a power of two from 2 to %d" % _ROOM_MOST if is_power else "%d to %d" % (least, _ROOM_MOST)
        raise ConfigError(where + "room", "%r samples: %s" % (room, range_text))
