"""What of the firmware a board needs for a configuration: flash that holds two applications is small.

Knows the firmware's rooms by name; neither boards nor files on them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from kittiwake.errors import ConfigError
from kittiwake.target.base import NodeConfig
from kittiwake.target.node_config import link_kind

_NODE = "kittiwake_node/"
# What audio and networks alone use.
_HEARING = ("speech/", "network.py")
_HEARING_STAGES = (
    *("conv", "copy", "depthwise", "features", "fft", "floats", "matmul", "mel", "pointwise", "pool"),
    *("recurrent", "requant", "shape", "softmax", "spectrum", "table", "wake"),
)
# What direct MQTT alone uses.
_MQTT = ("mqtt/", "io/net/")
# The gateway's side of the session; a board has the device's.
_HOST_ONLY = ("link/gateway_session.py", "link/pending_requests.py")


def files(firmware: Mapping[str, bytes], config: NodeConfig) -> dict[str, bytes]:
    """Leave out what a node of this configuration never imports.

    Args:
        firmware: path -> source, as `kittiwake.firmware_files` gives it.
        config: of the node, unchecked.

    Returns:
        Path -> source, without main.py, which belongs to no slot.
    """
    hears = any(isinstance(c, dict) and c.get("kind") == "microphone" for c in config.get("channels", []))
    is_plain = config.get("kernel", "viper") == "plain"
    speaks_mqtt = link_kind(config) == "mqtt"

    def is_needed(path: str) -> bool:
        if not speaks_mqtt and path.removeprefix(_NODE).startswith(_MQTT):
            return False
        return _is_needed(path, hears, is_plain)

    return {path: content for path, content in firmware.items() if is_needed(path)}


def every_file(firmware: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out what no node imports, whatever its configuration.

    Args:
        firmware: path -> source, as `kittiwake.firmware_files` gives it.

    Returns:
        Path -> source, without main.py, which belongs to no slot.
    """
    return {
        path: content
        for path, content in firmware.items()
        if path.startswith(_NODE) and path.removeprefix(_NODE) not in _HOST_ONLY
    }


def _is_needed(path: str, hears: bool, is_plain: bool) -> bool:
    if not path.startswith(_NODE):
        return False
    inner = path.removeprefix(_NODE)
    if inner in _HOST_ONLY:
        return False
    if inner.startswith("kernels/"):
        kind, _, stage = PurePosixPath(inner).stem.partition("_")
        if kind == "plain" and not is_plain:
            return False
        return hears or stage not in _HEARING_STAGES
    return hears or not inner.startswith(_HEARING)


def named_models(config: NodeConfig, slot: str | None) -> set[str]:
    """Name the models that a configuration listens for and that go with an application: in no folder, or in its slot.

    Args:
        config: of the node, unchecked.
        slot: that it was deployed to; None for none.
    """
    names = set()
    for channel in config.get("channels", []):
        hear = channel.get("hear", {}) if isinstance(channel, dict) else {}
        names |= {_bare(name, slot) for name in hear.get("models", [])}
    return {name for name in names if "/" not in name}


def _bare(name: str, slot: str | None) -> str:
    return name.removeprefix(f"{slot}/") if slot else name


def settings(config: NodeConfig, slot: str, models: Collection[str], was_in: str | None = None) -> bytes:
    """Write the configuration as a slot holds it: models that go with it are looked for there.

    Args:
        config: of the node.
        slot: name of its folder.
        models: names of the files that lie there with it.
        was_in: slot that the configuration was read from, whose models are meant where it names them; None for none.

    Raises:
        ConfigError: no channel listens for one of the models.
    """
    config = json.loads(json.dumps(config))
    unused = set(models)
    for channel in config.get("channels", []):
        hear = channel.get("hear", {}) if isinstance(channel, dict) else {}
        if "models" in hear:
            names = [name if _bare(name, was_in) not in models else _bare(name, was_in) for name in hear["models"]]
            unused -= set(names)
            hear["models"] = [f"{slot}/{name}" if name in models else name for name in names]
    if unused:
        raise ConfigError(f"no channel listens for {sorted(unused)[0]}", "name it in a microphone's hear.models")
    return json.dumps(config, sort_keys=True).encode()
