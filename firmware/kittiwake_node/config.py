"""The node's configuration: defaults, and every setting checked before anything starts.

Takes and gives plain dicts (JSON on the board); it knows no file and starts nothing.
"""

from .config_checks import in_range
from .config_checks import with_defaults as _merged
from .config_link import check_link
from .config_source import check_source
from .errors import ConfigError
from .link.messages import is_device_id

if False:  # for mypy alone
    from kittiwake_types import Settings

DEFAULTS: "Settings" = {
    "device": "kittiwake",
    "kernel": "viper",
    "block": 64,  # samples taken at once; the latency of a source without a pace
    "health_s": 60,
    "watchdog_s": 0,  # seconds without a turn of the loop after which the board resets; 0 for never
    "commit_ms": 1000,  # summaries and readings are safe within this
    "action": {},
    "storage": {},
    "link": {},  # "stdio", "uart:N", "mqtt", or a table (config_link.py)
    "mqtt": {},
    "wifi": {},
    "channels": [],
}

CHANNEL_DEFAULTS: "Settings" = {
    "kind": "sensor",  # or "states", "microphone"
    "name": "",  # a level of a topic; the channel's number where nothing is said
    "sensor_id": "",
    "unit": "",
    "scale": "1",  # units an LSB: a decimal or a fraction of two, see docs/spec/link.md
    "offset": "0",  # units at zero
    "bits": 16,
    "rate_hz": 1000,
    "summary_samples": 60000,
    "readings": False,
    "source": {},
    "detectors": [{"kind": "zscore"}],
    "event": {},
    "snapshot": {},
    "states": {},
    "hear": {},
}
# What a microphone listens for: files of wake words (.kwm); after a detection a word is silent for refractory_ms; audio
# keeps the last second and journals it before the word; networks work for slice_us of a turn.
HEAR_DEFAULTS: "Settings" = {"models": [], "refractory_ms": 2000, "audio": False, "slice_us": 2000}
_MICROPHONE_HZ = 16000
_MODELS_MOST = 8

DETECTOR_DEFAULTS: "dict[str, Settings]" = {
    "zscore": {"kind": "zscore", "n": 256, "t": "", "lagged": False, "floor": 1},
    "drift": {"kind": "drift", "fast": 3, "slow": 12, "t": "3/2", "warmup": 64, "holdoff": 128, "floor": 1},
    "novelty": {"kind": "novelty", "sensitivity": 100, "patience": 100},
    "baseline": {"kind": "baseline", "block": 256, "learn": 200, "features": ["variance"], "t": "5"},
}
# The level that says "anomaly" lasts pulse_ms after the newest one; `safe` is the level while nobody judges, see
# io/action.py.
ACTION_DEFAULTS: "Settings" = {"kind": "virtual", "pulse_ms": 100, "pin": "", "active_high": True, "safe": 0}
_PULSE_MOST_MS = 3600000
# Flags closer than hold_off samples are one event, which `rise` flags open; burst events in quick succession, then one
# more every `refill` samples (0: no limit). The default makes every flag an alert.
EVENT_DEFAULTS: "Settings" = {"hold_off": 0, "rise": 1, "burst": 0, "refill": 1}
# Samples before and after the flag that opens an event, and the most bytes of them an hour; after = 0 keeps none.
SNAPSHOT_DEFAULTS: "Settings" = {"before": 0, "after": 0, "bytes_per_hour": 65536}
_DETECTORS_MOST = 4
_SPAN_MOST = 1 << 24

READING_LIMIT_HZ = 50
_SUMMARY_LIMIT = 1 << 24  # with 24-bit samples the sum of squares still fits 72 bits; with 16 it fits 64


def check(settings: object) -> "Settings":
    """Fill in defaults and check.

    Args:
        settings: dict as read from JSON; not changed.

    Returns:
        A new dict with every key of DEFAULTS, and every channel with every key of CHANNEL_DEFAULTS.

    Raises:
        ConfigError: names the setting, what is wrong and what would be right.
    """
    config = _merged(DEFAULTS, _with_link(settings), "")
    if not is_device_id(config["device"].encode()):
        raise ConfigError("device", "%r: 1 to 64 letters, digits, '-', '_' or '.'" % config["device"])
    in_range(config, "block", 1, 1024, "")
    in_range(config, "health_s", 1, 86400, "")
    in_range(config, "watchdog_s", 0, 3600, "")
    in_range(config, "commit_ms", 10, 3600000, "")
    config["action"] = _check_action(config["action"])
    if config["link"].get("kind") == "mqtt":
        # Boards without a network have no memory to spare for what only a broker needs.
        try:
            from .mqtt.settings import check_mqtt, check_wifi
        except ImportError:  # deployed for another link, without them
            raise ConfigError("link", "the modules of direct MQTT are not on this board; deploy this configuration")
        config["wifi"] = check_wifi(config["wifi"])
        config["mqtt"] = check_mqtt(config["mqtt"], config["device"])
    elif config["mqtt"] or config["wifi"]:
        raise ConfigError("mqtt, wifi", 'settings of a broker, and the link is another; write link = "mqtt"')
    if not 1 <= len(config["channels"]) <= 8:
        raise ConfigError("channels", "%d given; a node has 1 to 8" % len(config["channels"]))
    config["channels"] = [_check_channel(c, i) for i, c in enumerate(config["channels"])]
    names = [c["name"] for c in config["channels"]]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ConfigError("channels[%d].name" % i, "%r is the name of another channel too" % name)
    return config


def _check_action(settings: "Settings") -> "Settings":
    pin = settings.get("pin", "")
    # A pin is a number on one port and a name on the next.
    named = settings if isinstance(pin, str) else {key: settings[key] if key != "pin" else "" for key in settings}
    action = _merged(ACTION_DEFAULTS, named, "action.")
    action["pin"] = pin
    if action["kind"] not in ("virtual", "pin"):
        raise ConfigError("action.kind", "%r is not one of: virtual, pin" % action["kind"])
    in_range(action, "pulse_ms", 1, _PULSE_MOST_MS, "action.")
    in_range(action, "safe", 0, 1, "action.")
    if isinstance(pin, bool) or not isinstance(pin, (int, str)) or action["kind"] == "pin" and pin == "":
        raise ConfigError("action.pin", "%r: the number or the name of a pin" % (pin,))
    return action


def _with_link(settings: object) -> object:
    if not isinstance(settings, dict) or "link" not in settings:
        return settings
    settings = settings.copy()
    settings["link"] = check_link(settings["link"])
    return settings


def _check_channel(settings: object, number: int) -> "Settings":
    where = "channels[%d]." % number
    if isinstance(settings, dict) and settings.get("kind") == "microphone":
        settings = _with_microphone(settings, where)
    if isinstance(settings, dict) and settings.get("kind") == "states":
        # Boards whose channels tell no states have no memory to spare for what only these need.
        try:
            from .config_states import with_states
        except ImportError:  # deployed for other channels, without it
            raise ConfigError(where + "kind", "the modules of states are not on this board; deploy this configuration")
        settings = with_states(settings, where)
    channel = _merged(CHANNEL_DEFAULTS, _with_numbers_as_text(settings), where)
    _check_numbers(channel, where)
    if channel["kind"] not in ("sensor", "states", "microphone"):
        raise ConfigError(where + "kind", "%r is not one of: sensor, states, microphone" % channel["kind"])
    if channel["states"] and channel["kind"] != "states":
        raise ConfigError(where + "states", "this channel tells none; write kind = states")
    if channel["hear"] and channel["kind"] != "microphone":
        raise ConfigError(where + "hear", "only a microphone hears; write kind = microphone")
    channel["name"] = channel["name"] or str(number)
    if len(channel["name"]) > 64 or any([c in "/+#" or not " " <= c <= "~" for c in channel["name"]]):
        raise ConfigError(
            where + "name", "%r: up to 64 printable ASCII characters but '/', '+' and '#'" % channel["name"]
        )
    in_range(channel, "bits", 8, 16, where)
    in_range(channel, "rate_hz", 0, 20000, where)
    in_range(channel, "summary_samples", 1, _SUMMARY_LIMIT, where)
    if channel["readings"] and not 0 < channel["rate_hz"] <= READING_LIMIT_HZ:
        raise ConfigError(
            where + "readings",
            "every sample is journalled up to %d Hz, and this channel has %d; lower rate_hz or use summaries"
            % (READING_LIMIT_HZ, channel["rate_hz"]),
        )
    channel["source"] = check_source(channel["source"], channel["rate_hz"], channel["bits"], where + "source.")
    channel["event"] = _merged(EVENT_DEFAULTS, channel["event"], where + "event.")
    for key, least in (("hold_off", 0), ("rise", 1), ("burst", 0), ("refill", 1)):
        in_range(channel["event"], key, least, _SPAN_MOST, where + "event.")
    channel["snapshot"] = _merged(SNAPSHOT_DEFAULTS, channel["snapshot"], where + "snapshot.")
    for key in SNAPSHOT_DEFAULTS:
        in_range(channel["snapshot"], key, 0, _SPAN_MOST, where + "snapshot.")
    detectors = channel["detectors"]
    if len(detectors) > _DETECTORS_MOST:
        raise ConfigError(where + "detectors", "%d given; a channel has at most %d" % (len(detectors), _DETECTORS_MOST))
    channel["detectors"] = [check_detector(d, "%sdetectors[%d]." % (where, i)) for i, d in enumerate(detectors)]
    return channel


def _with_numbers_as_text(settings: object) -> object:
    if not isinstance(settings, dict):
        return settings
    channel = settings.copy()
    for key in ("scale", "offset"):
        if isinstance(channel.get(key), int) and not isinstance(channel[key], bool):
            channel[key] = str(channel[key])
    return channel


def _check_numbers(channel: "Settings", where: str) -> None:
    for key in ("scale", "offset"):
        if channel[key] != CHANNEL_DEFAULTS[key]:
            from .link.channel_description import rational  # boards that publish integers need not load it

            if rational(channel[key], None) is None:
                form = "%r: a decimal or a fraction of two, such as 0.01 or 3.3/4095, of at most 24 digits a part"
                raise ConfigError(where + key, form % channel[key])


def _with_microphone(settings: "Settings", where: str) -> "Settings":
    """What differs in a microphone's channel: rate, no detectors, and what it listens for."""
    channel = {"rate_hz": _MICROPHONE_HZ, "summary_samples": 60 * _MICROPHONE_HZ, "detectors": []}
    channel.update(settings)
    # Unpaced replay is 0: as fast as the board can.
    if channel["rate_hz"] not in (0, _MICROPHONE_HZ):
        raise ConfigError(where + "rate_hz", "a microphone has %d samples a second" % _MICROPHONE_HZ)
    for name in ("detectors", "readings", "snapshot"):
        if channel.get(name):
            raise ConfigError(where + name, "a microphone has none; it has hear")
    hear = channel["hear"] = _merged(HEAR_DEFAULTS, channel.get("hear", {}), where + "hear.")
    in_range(hear, "refractory_ms", 0, 60000, where + "hear.")
    in_range(hear, "slice_us", 100, 100000, where + "hear.")
    if len(hear["models"]) > _MODELS_MOST or not all([isinstance(m, str) and m for m in hear["models"]]):
        raise ConfigError(where + "hear.models", "0 to %d names of .kwm files" % _MODELS_MOST)
    return channel


def check_detector(settings: object, where: str = "") -> "Settings":
    """Fill in the defaults of one detector's settings and check their names and kinds; detectors.make checks the rest.

    Args:
        settings: dict with "kind" (zscore when it is not given) and some of that kind's settings.
        where: what stands before a setting's name in an error.

    Raises:
        ConfigError: names the setting.
    """
    kind = settings.get("kind", "zscore") if isinstance(settings, dict) else settings
    if kind not in DETECTOR_DEFAULTS:
        known = ", ".join(sorted(DETECTOR_DEFAULTS))
        raise ConfigError(where + "kind", "%r is not one of: %s" % (kind, known))
    return _merged(DETECTOR_DEFAULTS[kind], settings, where)
