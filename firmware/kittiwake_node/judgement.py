"""Judgement: whether a node would start with a configuration. It starts nothing, and knows what would be made of it."""

from . import assembly, kernels
from .errors import ConfigError
from .io import parts
from .store import descriptions


def refusal(config):
    """Why a node would not start, in one line, or "" when it would.

    For a host that asks before it deploys. Ports, files and pins are not touched, so they are not tried.
    """
    try:
        config = assembly.checked(config)
        if config["storage"]:
            parts.check_storage(config["storage"])
        descriptions.check_size(assembly.describe(config["channels"]))
        kernel = kernels.load_or_viper(config["kernel"])
        for channel in config["channels"]:
            if channel["kind"] == "microphone":
                continue
            assembly.make_detectors(kernel, channel)
            assembly.make_snapshots(kernel, channel)
            if channel["source"].get("kind") == "timer":
                assembly.make_reflex_detector(kernel, channel)
        for number, channel in enumerate(config["channels"]):
            if not channel["source"]:
                raise ConfigError("channels[%d].source" % number, "is missing: what gives its samples")
    except ConfigError as error:
        return str(error)
    return ""
