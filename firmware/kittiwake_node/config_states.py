"""Settings of a channel whose samples are a machine's states, checked before anything starts. It reads no plan."""

from .config_checks import in_range, with_defaults
from .errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import Settings

# `blocks` in a row must be told for a new state, and it must be `margin` 256ths ahead of the one that holds; the action
# is driven as a state of `act` begins; the network works for slice_us of a turn.
STATES_DEFAULTS: "Settings" = {"model": "", "blocks": 3, "margin": 26, "act": [], "slice_us": 2000}
_BLOCKS_MOST = 10000
_NAMES_MOST = 255


def with_states(settings: "Settings", where: str) -> "Settings":
    """What differs in such a channel: no detectors where none are named, and its network.

    Args:
        settings: of the channel, unchecked; not changed.
        where: what stands before a setting's name in an error.

    Returns:
        A new dict, `states` checked.

    Raises:
        ConfigError: names the setting.
    """
    channel: "Settings" = {"detectors": []}
    channel.update(settings)
    states = channel["states"] = with_defaults(STATES_DEFAULTS, channel.get("states", {}), where + "states.")
    if not states["model"]:
        raise ConfigError(where + "states.model", "name the file of a plan (.kwm)")
    in_range(states, "blocks", 1, _BLOCKS_MOST, where + "states.")
    in_range(states, "margin", 0, 255, where + "states.")
    in_range(states, "slice_us", 100, 100000, where + "states.")
    if len(states["act"]) > _NAMES_MOST or not all([isinstance(name, str) for name in states["act"]]):
        raise ConfigError(where + "states.act", "0 to %d names of states" % _NAMES_MOST)
    return channel
