"""The firmware's tables of settings."""

import json

from kittiwake_node import config, config_link, config_sensor, config_source, config_states
from kittiwake_node.mqtt import settings


def print_tables():
    """Print every table of settings with its defaults, as JSON: the keys are those of node/settings.toml."""
    tables = {
        "root": config.DEFAULTS,
        "action": config.ACTION_DEFAULTS,
        "uart": config_link.UART_DEFAULTS,
        "mqtt": settings.MQTT_DEFAULTS,
        "wifi": settings.WIFI_DEFAULTS,
        "channel": config.CHANNEL_DEFAULTS,
        "event": config.EVENT_DEFAULTS,
        "snapshot": config.SNAPSHOT_DEFAULTS,
        "states": config_states.STATES_DEFAULTS,
        "hear": config.HEAR_DEFAULTS,
        "i2c": config_sensor.I2C_DEFAULTS,
    }
    for kind in config.DETECTOR_DEFAULTS:
        tables["detector-" + kind] = config.DETECTOR_DEFAULTS[kind]
    for kind in config_source.KINDS:
        defaults = config_source.KINDS[kind][1]
        tables["source-" + kind] = config_sensor.DEFAULTS[kind] if defaults is None else defaults
    print(json.dumps(tables))
