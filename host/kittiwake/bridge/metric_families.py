"""Figures that devices tell of themselves, for Prometheus: their health, and what their channels say.

Names follow Prometheus's rules: base units, counters end in _total. Labels come from devices, so their number and
length are bounded where they are kept (the Tally), and a state has a fixed set of labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from kittiwake.bridge.device_health import STATES, UNKNOWN, state_of
from kittiwake.bridge.device_link import DeviceLink

Family = CounterMetricFamily | GaugeMetricFamily

_LABELS = ["port", "device"]
# Field of the health record -> name, help, is it a counter (since the node's start), factor to the unit in the name.
HEALTH: dict[str, tuple[str, str, bool, float]] = {
    "heap_free": ("heap_free_bytes", "Free heap, as the device said last.", False, 1),
    "loop_max_us": ("loop_max_seconds", "Longest turn of the device's loop.", False, 1e-6),
    "action_max_us": ("action_max_seconds", "Longest time from sample to pin.", False, 1e-6),
    "samples": ("samples", "Samples that the device judged.", True, 1),
    "overruns": ("overrun_samples", "Samples lost as nobody took them in time.", True, 1),
    "clipped": ("clipped_samples", "Samples at or beyond an end of their range.", True, 1),
    "alerts": ("journalled_alerts", "Alerts that the device journalled.", True, 1),
    "damaged": ("journal_damages", "Damaged stretches found in the device's journal.", True, 1),
    "journal_bytes": ("journal_bytes", "Bytes the journal takes.", False, 1),
    "journal_limit_bytes": ("journal_limit_bytes", "Bytes that the journal may take.", False, 1),
    "commits": ("journal_commits", "Commits of the journal to flash.", True, 1),
    "frames_rejected": ("frames_rejected", "Frames to the device that were damaged on the line.", True, 1),
    "resends": ("resent_records", "Records that the device sent again.", True, 1),
    "bytes_programmed": ("flash_programmed_bytes", "Bytes programmed into the device's flash.", True, 1),
    "blocks_erased": ("flash_erased_blocks", "Blocks of the device's flash erased.", True, 1),
    "held_back": ("held_back_flags", "A detector's flags that became no alert.", True, 1),
    "snapshots_refused": ("refused_snapshots", "Snapshots beyond the hour's budget.", True, 1),
    "bus_errors": ("bus_errors", "Transfers to sensors that failed.", True, 1),
    "reconnects": ("own_reconnects", "Connections that the device itself made anew.", True, 1),
    "microphone_level": ("microphone_level_lsb", "Deviation of the last second.", False, 1),
    "microphone_offset": ("microphone_offset_lsb", "Mean of the last second, without its sign.", False, 1),
    "microphone_clipped_ppm": ("microphone_clipped_ratio", "Clipped part of the last second.", False, 1e-6),
    "models_refused": ("refused_models", "Wake words that are configured and cannot run.", False, 1),
}
# The same of states: a series for each, 1 for the one that is.
_STATES = {
    "storage_state": "1 for the state of the journal's partition.",
    "microphone_state": "1 for the state of the worst microphone.",
}


def family(name: str, words: str, is_counter: bool, labels: list[str]) -> Family:
    """Make an empty metric family.

    Args:
        name: without _total.
        words: its help.
        is_counter: else it is a gauge.
        labels: their names.
    """
    return (CounterMetricFamily if is_counter else GaugeMetricFamily)(name, words, labels=labels)


def of_health(links: Sequence[DeviceLink]) -> Iterator[Family]:
    """Give the families of what devices' newest health records say.

    Args:
        links: the devices'.
    """
    for field, (name, words, is_counter, factor) in HEALTH.items():
        made = family(f"kittiwake_device_{name}", words, is_counter, _LABELS)
        for link in links:
            if field in link.intake.health:
                made.add_metric([link.url, link.device or ""], link.intake.health[field] * factor)
        yield made
    for field, states in STATES.items():
        made = family(f"kittiwake_device_{field}", _STATES[field], False, [*_LABELS, "state"])
        for link in links:
            if field in link.intake.health:
                state = state_of(field, link.intake.health)
                for other in (*states, UNKNOWN):
                    made.add_metric([link.url, link.device or "", other], float(other == state))
        yield made


def of_channels(links: Sequence[DeviceLink]) -> Iterator[Family]:
    """Give the families of channels: alerts, keywords, states counted, newest values, and whose unit these are in.

    Args:
        links: the devices'.
    """
    labels = [*_LABELS, "channel"]
    alerts = family("kittiwake_channel_alerts", "Alerts received.", True, [*labels, "detector"])
    keywords = family("kittiwake_channel_keywords", "Keywords received.", True, [*labels, "keyword"])
    begun = family("kittiwake_channel_states", "How often a machine's state began.", True, [*labels, "state"])
    held = family("kittiwake_channel_state", "1 for the machine's state that holds.", False, [*labels, "state"])
    info = family(
        "kittiwake_channel_info", "1; says the channel's sensor and unit.", False, [*labels, "sensor", "unit"]
    )
    values = {
        "value": family(
            "kittiwake_channel_value", "Of the newest reading or alert, in the channel's unit.", False, labels
        ),
        "mean": family("kittiwake_channel_mean", "Of the newest summary, in the channel's unit.", False, labels),
        "stdev": family("kittiwake_channel_deviation", "Standard deviation, the same.", False, labels),
        "low": family("kittiwake_channel_low", "Smallest value, the same.", False, labels),
        "high": family("kittiwake_channel_high", "Largest value, the same.", False, labels),
    }
    for link in links:
        for name, channel in link.intake.tally.channels.items():
            place = [link.url, link.device or "", name]
            for detector, count in channel.alerts.items():
                alerts.add_metric([*place, detector], float(count))
            for keyword, count in channel.keywords.items():
                keywords.add_metric([*place, keyword], float(count))
            for state, count in channel.states.items():
                begun.add_metric([*place, state], float(count))
                held.add_metric([*place, state], float(state == channel.state))
            info.add_metric([*place, channel.sensor_id, channel.unit], 1.0)
            for figure, value in channel.values.items():
                values[figure].add_metric(place, value)
    yield from (alerts, keywords, begun, held, info, *values.values())
