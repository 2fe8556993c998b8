"""What one board has of its own, laid over the configuration that it shares with others: name, network, certificates.

`kittiwake provision` writes it, and deploying leaves it alone. Knows a file and which settings may stand in it, not
what they mean; passwords and keys are in files of their own, which the settings name (docs/spec/files.md).
"""

import json

from ..errors import ConfigError

PATH = "provision.json"
_TABLES = ("wifi", "mqtt")


def lay_over(config, path=PATH):
    """A configuration with what was provisioned in place of its own.

    Settings of a broker and of Wi-Fi count where the link is a broker's, and wait where it is another.

    Args:
        config: dict as read from node.json, unchecked; not changed.
        path: of the file.

    Returns:
        A new dict, or `config` itself where nothing was provisioned.

    Raises:
        ConfigError: the file is damaged.
    """
    own = read(path)
    if not own or not isinstance(config, dict):
        return config
    laid = config.copy()
    if "device" in own:
        laid["device"] = own["device"]
    link = config.get("link")
    if link == "mqtt" or isinstance(link, dict) and link.get("kind") == "mqtt":
        for name in _TABLES:
            if name in own:
                table = config.get(name, {})
                laid[name] = table.copy() if isinstance(table, dict) else {}
                laid[name].update(own[name])
    return laid


def read(path=PATH):
    """What was provisioned, {} when nothing was.

    Raises:
        ConfigError: the file is damaged: a board that has lost its name must not speak under another.
    """
    try:
        with open(path) as file:
            own = json.load(file)
    except OSError:
        return {}
    except ValueError:
        own = None
    if not isinstance(own, dict) or not all([isinstance(own.get(name, {}), dict) for name in _TABLES + ("release",)]):
        raise ConfigError(path, "is damaged; run kittiwake provision again")
    return own


def objection():
    """Why settings may not come by command, "" when they may; nobody knows that where the file is damaged."""
    try:
        is_signed_alone = read().get("release", {}).get("settings") == "signed"
    except ConfigError as error:
        return str(error)
    return "this board takes its settings from signed releases alone" if is_signed_alone else ""
