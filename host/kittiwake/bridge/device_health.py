"""What a device's health record says in words: its states by name, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake_node.link import payload

# Fields that are states -> their names by number.
STATES = {"storage_state": payload.STORAGE_STATES, "microphone_state": ("none", "ok", "dead", "stopped")}
UNKNOWN = "unknown"  # a state that only a later firmware knows

_GOOD = {"storage_state": ("ok",), "microphone_state": ("none", "ok")}
_WRONG = {
    "evicted_alert": "alerts lost, the journal was full",
    "models_refused": "wake words that cannot run",
    "bus_errors": "transfers to sensors that failed",
}


def state_of(field: str, health: Mapping[str, int]) -> str:
    """Name the state that a field of a health record has.

    Args:
        field: of STATES, and of the record.
        health: the record's fields.
    """
    return STATES[field][health[field]] if health[field] < len(STATES[field]) else UNKNOWN


def warnings(health: Mapping[str, int]) -> list[str]:
    """Say what is wrong with a device.

    Args:
        health: fields of its newest health record.

    Returns:
        A line each; none for a device that is well.
    """
    states = {field: state_of(field, health) for field in STATES if field in health}
    lines = [f"{field.partition('_')[0]}: {state}" for field, state in states.items() if state not in _GOOD[field]]
    return lines + [f"{words}: {health[field]}" for field, words in _WRONG.items() if health.get(field)]
