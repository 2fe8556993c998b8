"""What /healthz says of one device: its link, what the bridge counted of it, and what it says of its own health."""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake.bridge.device_health import warnings
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.refused import few


def of(link: DeviceLink) -> dict[str, object]:
    """Report on a device, JSON-ready.

    Args:
        link: the device's.

    Returns:
        Port, device and state; what was refused, changed or dropped; alerts and keywords counted; the newest health
        record, what of it is wrong in words, and the newest values and state by channel.
    """
    tally, health = link.intake.tally, dict(link.intake.health)
    return {
        "port": link.url,
        "device": link.device,
        "online": link.is_online,
        "released": link.port_keeper.is_released,
        "problem": link.problem,
        "refused": refused(link.intake.refusals),
        "records": link.counts.records,
        "lag": link.lag,
        "safe_form": link.counts.safe_form,
        "opaque": link.counts.opaque,
        "console_lines_dropped": link.console.dropped,
        "alerts": tally.alerts,
        "keywords": tally.keywords,
        "health": health,
        "warnings": warnings(health),
        "channels": {
            name: {
                "sensor_id": channel.sensor_id,
                "unit": channel.unit,
                "ts": channel.ts,
                **channel.values,
                **({"state": channel.state} if channel.state else {}),
            }
            for name, channel in tally.channels.items()
        },
    }


def refused(refusals: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    """List what the broker refused and has not taken since.

    Args:
        refusals: counts of records by topic and reason.
    """
    return [{"topic": topic, "reason": why, "records": count} for (topic, why), count in few(refusals).items()]
