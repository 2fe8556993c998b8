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

UNUSED_MEND = "name it in a microphone's hear.models, or as a channel's states.model"
_NODE = "kittiwake_node/"
# What audio alone uses, what channels that tell states do, and what the networks of both do.
_HEARING = ("speech/",)
_TELLING = ("assembly_states.py", "config_states.py", "detect/state")
_NETWORK = ("network.py",)
_HEARING_STAGES = ("features", "fft", "mel", "spectrum", "wake")
_TELLING_STAGES = ("block",)
_NETWORK_STAGES = (
    *("conv", "copy", "depthwise", "floats", "logsoftmax", "matmul", "pointwise", "pool"),
    *("recurrent", "requant", "shape", "softmax", "table"),
)
# Networks of int16 activations: in scripts of one's own, not in a node.
_OWN_SCRIPTS_STAGES = ("conv16", "curve16", "floats16", "pointwise16", "pool16")
_OWN_SCRIPTS_ENTRIES = "entries16"
# What direct MQTT alone uses.
_MQTT = ("mqtt/", "io/net/")
# The gateway's side of the session; a board has the device's.
_HOST_ONLY = ("link/gateway_messages.py", "link/gateway_session.py", "link/pending_requests.py")


def files(firmware: Mapping[str, bytes], config: NodeConfig) -> dict[str, bytes]:
    """Leave out what a node of this configuration never imports.

    Args:
        firmware: path -> source, as `kittiwake.firmware_files` gives it.
        config: of the node, unchecked.

    Returns:
        Path -> source, without main.py, which belongs to no slot.
    """
    of_kind = {c.get("kind") for c in config.get("channels", []) if isinstance(c, dict)}
    idle_paths: list[str] = []
    idle_stages: list[str] = []
    for kinds, paths, stages in (
        ({"microphone"}, _HEARING, _HEARING_STAGES),
        ({"states"}, _TELLING, _TELLING_STAGES),
        ({"microphone", "states"}, _NETWORK, _NETWORK_STAGES),
    ):
        if not kinds & of_kind:
            idle_paths += paths
            idle_stages += stages
    is_plain = config.get("kernel", "viper") == "plain"
    speaks_mqtt = link_kind(config) == "mqtt"

    def is_needed(path: str) -> bool:
        if not speaks_mqtt and path.removeprefix(_NODE).startswith(_MQTT):
            return False
        return _is_needed(path, idle_paths, idle_stages, is_plain)

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
        if path.startswith(_NODE) and path.removeprefix(_NODE) not in _HOST_ONLY and not is_for_own_scripts(path)
    }


def _is_needed(path: str, idle_paths: list[str], idle_stages: list[str], is_plain: bool) -> bool:
    if not path.startswith(_NODE):
        return False
    inner = path.removeprefix(_NODE)
    if inner in _HOST_ONLY:
        return False
    if inner.startswith("kernels/"):
        kind, _, stage = PurePosixPath(inner).stem.partition("_")
        if kind == "plain" and not is_plain:
            return False
        return stage not in idle_stages and not is_for_own_scripts(path)
    return not inner.startswith(tuple(idle_paths))


def is_for_own_scripts(path: str) -> bool:
    """Tell whether a file of the firmware serves scripts of one's own alone.

    Args:
        path: of its source.
    """
    stem = PurePosixPath(path).stem
    return stem == _OWN_SCRIPTS_ENTRIES or stem.partition("_")[2] in _OWN_SCRIPTS_STAGES


def named_models(config: NodeConfig, slot: str | None) -> set[str]:
    """Name the models of a configuration that go with an application: in no folder, or in its slot.

    Args:
        config: of the node, unchecked.
        slot: that it was deployed to; None for none.
    """
    names = set()
    for channel in config.get("channels", []):
        names |= {_bare(name, slot) for name in models_of(channel)}
    return {name for name in names if "/" not in name}


def models_of(channel: object) -> list[str]:
    """Name the files of the networks that a channel has.

    Args:
        channel: its settings, unchecked.
    """
    if not isinstance(channel, dict):
        return []
    model = channel.get("states", {}).get("model")
    return [*channel.get("hear", {}).get("models", []), *([model] if model else [])]


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
        ConfigError: no channel has one of the models.
    """
    config = json.loads(json.dumps(config))
    unused = set(models)

    def placed(name: str) -> str:
        bare = _bare(name, was_in)
        unused.discard(bare)
        return f"{slot}/{bare}" if bare in models else name

    for channel in config.get("channels", []):
        if not models_of(channel):
            continue
        if "models" in channel.get("hear", {}):
            channel["hear"]["models"] = [placed(name) for name in channel["hear"]["models"]]
        if channel.get("states"):
            channel["states"]["model"] = placed(channel["states"]["model"])
    if unused:
        raise ConfigError(f"no channel listens for {sorted(unused)[0]}, or tells states by it", UNUSED_MEND)
    return json.dumps(config, sort_keys=True).encode()
