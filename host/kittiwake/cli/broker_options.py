"""Options that say which broker a client talks to, and as whom: a gateway's configuration, or an address alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.errors import UsageError

if TYPE_CHECKING:
    from kittiwake.mqtt.settings import BrokerSection
    from kittiwake.observe.exporting import Exports
    from kittiwake.observe.settings import OtlpSection, SyslogSection
    from kittiwake.window.settings import WindowSection

URL = "mqtt://localhost:1883"
BASE = "kittiwake"


def _metrics(text: str) -> str:
    from kittiwake.observe.web import check_address

    if text:
        check_address(text)
    return text


Broker = Annotated[str, typer.Option(help=f"The broker, mqtt://HOST:PORT; {URL} where nothing is said.")]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="A gateway's configuration: its broker, credentials and base.")
]
Metrics = Annotated[str, typer.Option(help="HOST:PORT to serve /metrics and /healthz on.", callback=_metrics)]
Base = Annotated[str, typer.Option(help=f"First levels of the topics; {BASE} where nothing is said.")]


@dataclass(frozen=True)
class Gateway:
    """What a client needs of a gateway.

    Args:
        broker: the settings; the client's session ends with its connection.
        base: first levels of the topics.
        own_topics: topics that kinds have of their own.
        window: what the configuration says of the pages; None without one.
        log: what it says of the log, (form, level); None without one.
        syslog: what it says of security events; None without one.
        otlp: what it says of an OpenTelemetry collector; None without one.
    """

    broker: BrokerSection
    base: str
    own_topics: tuple[str, ...] = ()
    window: WindowSection | None = None
    log: tuple[str, str] | None = None
    syslog: SyslogSection | None = None
    otlp: OtlpSection | None = None

    @classmethod
    def of(cls, config: Path | None, url: str, base: str) -> Gateway:
        """Read a gateway's configuration, or take an address.

        Args:
            config: its file; None for none.
            url: the broker's address; "" for the configuration's, or URL.
            base: first levels of the topics; "" for the configuration's, or BASE.

        Raises:
            UsageError: the address is none, or stands beside a configuration.
            ConfigError: see `load.load`.
        """
        from kittiwake.mqtt.address import parse_url
        from kittiwake.mqtt.settings import BrokerSection

        if config is None:
            parse_url(url or URL)
            return cls(BrokerSection(url=url or URL, session_expiry_s=0), base or BASE)
        if url or base:
            raise UsageError("a configuration names broker and base", "leave --broker and --base out, or --config")
        from kittiwake.bridge.settings import Settings
        from kittiwake.config import load

        settings = load.load(config, Settings, os.environ)
        # Nobody takes up this session again: kept, it would gather messages at the broker.
        broker = settings.broker.model_copy(update={"session_expiry_s": 0, "client_id": ""})
        own_topics = tuple(sorted(set(settings.publish.topics.values())))
        window = settings.window
        if not window.releases:
            window = window.model_copy(update={"releases": settings.releases.folder})
        log = settings.bridge.log, settings.bridge.log_level
        return cls(broker, settings.bridge.base, own_topics, window, log, settings.syslog, settings.otlp)

    @contextlib.contextmanager
    def exporting(self, service: str, instance: str) -> Iterator[Exports | None]:
        """Export what the configuration says of a client that runs for long; nothing without one.

        Args:
            service: "window", "rollout".
            instance: which of them.

        Yields:
            The exports; None without a configuration, whose log stays as it is.

        Raises:
            KittiwakeError, ConfigError: see `exporting.begun`.
        """
        if not (self.log and self.syslog and self.otlp):
            yield None
            return
        from kittiwake.observe import exporting

        with exporting.begun(self.otlp, self.syslog, service, instance, *self.log) as exports:
            yield exports
