"""The bridge's figures in Prometheus's text form. Reads counters that others keep; keeps none itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.metric_families import Family, family, of_channels, of_health
from kittiwake.bridge.refused import few
from kittiwake.observe.exposition import Figures

if TYPE_CHECKING:
    from kittiwake.bridge.service import Bridge

_CLASSES = ("raw", "telemetry", "alert")

# Name, help, is it a counter, figure of a link.
_PER_DEVICE: tuple[tuple[str, str, bool, Callable[[DeviceLink], float]], ...] = (
    ("online", "1 while the device has a session.", False, lambda k: k.is_online),
    ("records", "Records received, repeats not counted.", True, lambda k: k.counts.records),
    ("records_published", "Messages handed to the broker or the spool.", True, lambda k: k.counts.published),
    ("records_confirmed", "Records that the broker or the spool has.", True, lambda k: k.counts.acked),
    ("records_refused", "Messages that the broker refused; offered again later.", True, lambda k: k.counts.refused),
    ("records_opaque", "Records of unknown type or version, passed on in hex.", True, lambda k: k.counts.opaque),
    ("raw_channels", "Channels described without a readable scale.", True, lambda k: k.counts.raw_channels),
    ("records_safe_form", "Records published with names put right.", True, lambda k: k.counts.safe_form),
    ("descriptions_refused", "Channel descriptions that are none.", True, lambda k: k.counts.descriptions_refused),
    ("names_refused", "Devices not taken, as their name is not theirs here.", True, lambda k: k.counts.names_refused),
    ("faults", "Sessions ended by an error of the bridge itself.", True, lambda k: k.counts.faults),
    ("received_bytes", "Bytes from the port.", True, lambda k: k.counts.received_bytes),
    ("published_bytes", "Bytes of payload published.", True, lambda k: k.counts.published_bytes),
    ("lag_records", "Records in the device's journal not acknowledged, as it said last.", False, lambda k: k.lag),
    ("waiting_records", "Records held here for the broker.", False, lambda k: len(k.intake)),
    (
        "duplicates",
        "Records received again and dropped.",
        True,
        lambda k: k.counts.repeats + k.session.duplicates,
    ),
    ("console_lines_dropped", "Lines of console text that were not logged.", True, lambda k: k.console.dropped),
    ("damaged_frames", "Chunks that failed the check or were no frame.", True, lambda k: k.session.decoder.rejected),
    (
        "held_back_records",
        "Records that came past the window and were left with the device.",
        True,
        lambda k: k.session.held_back,
    ),
    ("damaged_records", "Records damaged at rest.", True, lambda k: k.session.damaged),
    ("holes", "Holes in the stream, asked for again.", True, lambda k: k.session.holes),
    ("reconnects", "Times the port was lost.", True, lambda k: k.counts.ports_lost),
    ("sessions", "Sessions opened.", True, lambda k: k.counts.sessions),
)


class Exposition(Collector):
    """Writes a bridge's figures.

    Args:
        bridge: whose counters are read at every call.
        lines_dropped: gives how many lines the log's limits have left out.

    Attributes:
        figures: with the pages.
    """

    def __init__(self, bridge: Bridge, lines_dropped: Callable[[], int] = lambda: 0):
        self._bridge, self._lines_dropped = bridge, lines_dropped
        self.figures = Figures(self)

    def collect(self) -> Iterator[Family]:
        """Give the metric families; prometheus_client calls this."""
        yield from self._of_bridge()
        made = family("kittiwake_certificate_days_left", "Days until it ends.", False, ["certificate"])
        for name, days in self._bridge.credentials.days_left().items():
            made.add_metric([name], days)
        yield made
        if self._bridge.judges is not None:
            made = family("kittiwake_verdicts", "Keywords by what the second opinion was.", True, ["verdict"])
            for verdict, count in self._bridge.judges.counts.items():
                made.add_metric([verdict], float(count))
            yield made
        links = self._bridge.links
        for name, words, is_counter, figure in _PER_DEVICE:
            made = family(f"kittiwake_device_{name}", words, is_counter, ["port", "device"])
            for link in links:
                made.add_metric([link.url, link.device or ""], float(figure(link)))
            yield made
        made = family("kittiwake_device_evicted_records", "Dropped by the device.", True, ["port", "device", "class"])
        for link in links:
            for cls, count in zip(_CLASSES, link.evicted, strict=True):
                made.add_metric([link.url, link.device or "", cls], float(count))
        yield made
        made = family(
            "kittiwake_device_refused_records",
            "Records that the broker refused and has not taken since.",
            False,
            ["port", "device", "topic", "reason"],
        )
        for link in links:
            for (topic, reason), count in few(link.intake.refusals).items():
                made.add_metric([link.url, link.device or "", topic, reason], float(count))
        yield made
        yield from of_health(links)
        yield from of_channels(links)

    def _of_bridge(self) -> Iterator[Family]:
        mqtt = self._bridge.mqtt
        figures = (
            (
                "well",
                "1 while the bridge does its work; /healthz says why not.",
                False,
                not self._bridge.health.reasons,
            ),
            ("broker_connected", "1 while the broker takes messages.", False, mqtt.is_connected),
            ("broker_reconnects", "Connections after the first.", True, mqtt.reconnects),
            ("broker_attempts", "Attempts to connect.", True, mqtt.attempts),
            ("broker_in_flight", "Messages that the broker has not confirmed.", False, mqtt.in_flight),
            (
                "broker_takeovers",
                "Connections that another program with our client id took.",
                True,
                mqtt.takeovers.count + self._bridge.command_client.takeovers.count,
            ),
            ("broker_refused", "Messages that the broker refused.", True, mqtt.refusals.count),
            (
                "broker_refused_subscriptions",
                "Of this bridge's, as of the broker's newest answers.",
                False,
                len(mqtt.subscriptions.refused) + len(self._bridge.command_client.subscriptions.refused),
            ),
            (
                "broker_callback_errors",
                "Messages that could not be dealt with.",
                True,
                mqtt.guard.errors + self._bridge.command_client.guard.errors,
            ),
            ("log_lines_dropped", "Lines that the log's limits have left out.", True, self._lines_dropped()),
            ("clock_known", "1 while devices are told the time.", False, not self._bridge.clock.problem),
            ("clock_steps", "Times that this machine's clock was set.", True, self._bridge.clock.steps),
            ("commands_waiting", "Commands not answered yet.", False, self._bridge.commands.waiting),
            ("commands_done", "Commands answered.", True, self._bridge.commands.done),
            *self._of_spool(),
        )
        for name, words, is_counter, figure in figures:
            made = family(f"kittiwake_{name}", words, is_counter, [])
            made.add_metric([], float(figure))
            yield made

    def _of_spool(self) -> tuple[tuple[str, str, bool, float], ...]:
        spool = self._bridge.spool
        if spool is None:
            return ()
        return (
            ("spool_working", "1 while this disk takes records.", False, not spool.problem),
            ("spool_records", "Records on this disk.", False, spool.records),
            ("spool_bytes", "Bytes of them.", False, spool.bytes),
            ("spool_dropped_records", "Dropped to make room.", True, spool.dropped),
            (
                "spool_refused_records",
                "Refused by the broker and not taken since.",
                False,
                sum(spool.refusals.values()),
            ),
        )
