"""The link's settings: how the node reaches its gateway, or a broker by itself. Checked before anything starts.

Takes and gives plain dicts; it knows no port.
"""

from .config_checks import with_defaults
from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

UART_DEFAULTS = {"kind": "uart", "id": 0, "baudrate": 115200, "tx": -1, "rx": -1}
_FORM = 'write "stdio", "uart:N" or "mqtt"'


def check_link(settings: object) -> "Settings":
    """Make a table of the link's short form.

    Args:
        settings: "stdio", "uart:N", "mqtt", or a table with "kind" (of targets: "fd", "kwboard").

    Returns:
        A new dict with "kind".

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(settings, dict):
        link = settings.copy()
    elif not isinstance(settings, str):
        raise ConfigError("link", "%r: %s" % (settings, _FORM))
    else:
        kind, colon, number = settings.partition(":")
        link = {"kind": kind}
        if kind == "uart":
            if not number.isdigit():
                raise ConfigError("link", "%r: %s" % (settings, _FORM))
            link["id"] = int(number)
        elif colon or kind not in ("stdio", "mqtt"):
            raise ConfigError("link", "%r: %s" % (settings, _FORM))
    if link.get("kind") == "uart":
        link = with_defaults(UART_DEFAULTS, link, "link.")
        if not 300 <= link["baudrate"] <= 12000000:
            raise ConfigError("link.baudrate", "%d is not within 300 to 12000000" % link["baudrate"])
    return link
