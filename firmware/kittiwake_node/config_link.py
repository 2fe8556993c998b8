"""The link's settings: how the node reaches its gateway, or a broker by itself. Checked before anything starts.

Takes and gives plain dicts; it knows no port.
"""

from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

UART_DEFAULTS = {"kind": "uart", "id": 0, "baudrate": 115200, "tx": -1, "rx": -1}
_FORM = 'write "stdio", "uart:N" or "mqtt"'


def check_link(given: object) -> "Settings":
    """Make a table of the link's short form.

    Args:
        given: "stdio", "uart:N", "mqtt", or a table with "kind" (of targets: "fd", "kwboard").

    Returns:
        A new dict with "kind".

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(given, dict):
        link = given.copy()
    elif not isinstance(given, str):
        raise ConfigError("link", "%r: %s" % (given, _FORM))
    else:
        kind, colon, number = given.partition(":")
        link = {"kind": kind}
        if kind == "uart":
            if not number.isdigit():
                raise ConfigError("link", "%r: %s" % (given, _FORM))
            link["id"] = int(number)
        elif colon or kind not in ("stdio", "mqtt"):
            raise ConfigError("link", "%r: %s" % (given, _FORM))
    if link.get("kind") == "uart":
        link = with_defaults(UART_DEFAULTS, link, "link.")
        if not 300 <= link["baudrate"] <= 12000000:
            raise ConfigError("link.baudrate", "%d is not within 300 to 12000000" % link["baudrate"])
    return link


def with_defaults(defaults: "Settings", given: object, where: str) -> "Settings":
    """A new dict of `given` over `defaults`, keys and kinds checked. Raises ConfigError, naming the setting."""
    if not isinstance(given, dict):
        raise ConfigError(where[:-1] or "configuration", "%r is not a table of settings" % (given,))
    for key in given:
        if key not in defaults:
            known = ", ".join(sorted(defaults))
            raise ConfigError(where + key, "no such setting; there are: %s" % known)
    merged = {}
    for key in defaults:
        value = given.get(key, defaults[key])
        if not _same_kind(value, defaults[key]):
            raise ConfigError(where + key, "%r is not of the kind of %r" % (value, defaults[key]))
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
