"""Home Assistant's discovery message of a device: its channels as sensors, states, alerts, health. Pure.

Source: Home Assistant, MQTT integration, device discovery (one message for a device with its components).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from kittiwake import __version__
from kittiwake.publish.channel_description import Channel
from kittiwake.publish.publisher import Former, Policy, Publication

CHANNELS_LIMIT = 32  # more than a board has; what a description makes up costs nobody else's Home Assistant

_HEALTH = {
    "heap_free": ("Free heap", "B", "data_size"),
    "loop_max_us": ("Longest turn of the loop", "µs", None),
    "journal_bytes": ("Journal", "B", "data_size"),
    "evicted_alert": ("Alerts evicted", None, None),
    "evicted_telemetry": ("Telemetry evicted", None, None),
}


def discovery(
    policy: Policy, prefix: str, bridge_status: str, device: str, journal: int, channels: Sequence[Channel]
) -> Publication:
    """Form the retained discovery message.

    Args:
        policy: names the topics that the components read.
        prefix: Home Assistant's discovery prefix.
        bridge_status: topic of the bridge's status; the device is available when both statuses say so.
        device: device id.
        journal: journal id, 64 bits.
        channels: of the device; those after CHANNELS_LIMIT are left out.

    Returns:
        The message.
    """
    topics = Former(policy, device, journal)
    node = _node(device)
    components: dict[str, dict[str, object]] = {}
    for number, channel in enumerate(channels[:CHANNELS_LIMIT]):
        in_unit = {"unit_of_measurement": channel.unit} if channel.unit else {}
        for figure, name in (("mean", "mean"), ("stdev", "deviation"), ("high", "highest"), ("low", "lowest")):
            components[f"{number}_{figure}"] = {
                "platform": "sensor",
                "unique_id": f"{node}_{number}_{figure}",
                "name": f"{channel.name} {name}",
                "state_topic": topics.topic("summary", channel.name),
                "value_template": f"{{{{ value_json.{figure} }}}}",
                "state_class": "measurement",
                **in_unit,
            }
        alert = topics.topic("alert", channel.name)
        components[f"{number}_anomaly"] = {
            "platform": "binary_sensor",
            "unique_id": f"{node}_{number}_anomaly",
            "name": f"{channel.name} anomaly",
            "device_class": "problem",
            "state_topic": alert,
            "value_template": "{{ 'ON' if value_json.anomaly else 'OFF' }}",
            "off_delay": 60,
            "json_attributes_topic": alert,
        }
        if channel.tells_states:
            state = topics.topic("state", channel.name)
            components[f"{number}_state"] = {
                "platform": "sensor",
                "unique_id": f"{node}_{number}_state",
                "name": f"{channel.name} state",
                "state_topic": state,
                "value_template": "{{ value_json.state }}",
                "json_attributes_topic": state,
            }
    for field, (name, unit, kind) in _HEALTH.items():
        components[field] = {
            "platform": "sensor",
            "unique_id": f"{node}_{field}",
            "name": name,
            "entity_category": "diagnostic",
            "state_topic": topics.topic("health", ""),
            "value_template": f"{{{{ value_json.{field} }}}}",
            **({"unit_of_measurement": unit} if unit else {}),
            **({"device_class": kind} if kind else {}),
        }
    body = {
        "device": {"identifiers": [f"kittiwake_{node}"], "name": device, "manufacturer": "Kittiwake"},
        "origin": {"name": "Kittiwake", "sw_version": __version__},
        "availability": [{"topic": bridge_status}, {"topic": policy.status_topic(device)}],
        "availability_mode": "all",
        "qos": 1,
        "components": components,
    }
    payload = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return Publication(topic(prefix, device), payload, 1, True, "discovery")


def topic(prefix: str, device: str) -> str:
    """Name the topic of a device's discovery.

    Args:
        prefix: Home Assistant's discovery prefix.
        device: device id.
    """
    return f"{prefix}/device/{_node(device)}/config"


def _node(device: str) -> str:
    # Home Assistant takes letters, digits, "_" and "-". A name with other characters becomes one that no other device
    # has, as it is longer than names are.
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", device)
    return plain if plain == device else f"{plain}-{hashlib.sha256(device.encode()).hexdigest()}"
