"""Begins what a process exports of itself, where its configuration says so. It knows no library that exports."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.observe import logs
from kittiwake.observe.forwarding import Forwarder
from kittiwake.observe.settings import OtlpSection, SyslogSection

if TYPE_CHECKING:
    from kittiwake.observe.otlp import Telemetry


def has_packages(section: OtlpSection) -> bool:
    """Whether there is to be an export over OTLP; then what it needs is here.

    Args:
        section: the settings.

    Raises:
        KittiwakeError: a package is missing.
        ConfigError: the CA's file cannot be read.
    """
    if not section.endpoint:
        return False
    if section.ca_file:
        try:
            with open(section.ca_file, "rb"):
                pass
        except OSError as error:
            raise ConfigError(f"otlp.ca_file: {section.ca_file} cannot be read: {error.strerror}") from error
    try:
        from kittiwake.observe import otlp  # noqa: F401  # whether it can be imported is asked
    except ModuleNotFoundError as error:
        raise KittiwakeError(f"{error.name} is not installed", "pip install 'kittiwake[otlp]'") from error
    return True


@dataclass(frozen=True)
class Exports:
    """What a process gives away of itself.

    Attributes:
        limit: what bounds the log, for its counter.
        telemetry: over OTLP; None where no endpoint is named.
        forwarder: of security events; None where no server is named.
    """

    limit: logs.LineLimit
    telemetry: Telemetry | None
    forwarder: Forwarder | None


@contextlib.contextmanager
def begun(
    otlp: OtlpSection, syslog: SyslogSection, service: str, instance: str, form: str = "text", level: str = "info"
) -> Iterator[Exports]:
    """Send the log to stderr, and to whom the configuration names; ended with the context.

    Args:
        otlp: the settings of OpenTelemetry's.
        syslog: those of security events.
        service: "bridge", "history", "decide", "window".
        instance: which of them, as the configuration names it.
        form: of the log, "text" or "json".
        level: of the log, see `logs.set_up`.

    Yields:
        The exports.

    Raises:
        KittiwakeError, ConfigError: see `has_packages`; the file of security events cannot be opened.
    """
    forwarder = Forwarder(syslog, service) if syslog.server else None
    telemetry = None
    if has_packages(otlp):
        from kittiwake.observe.otlp import Telemetry

        telemetry = Telemetry(otlp, service, instance)
    handlers = [handler for handler in (forwarder, telemetry.lines if telemetry else None) if handler]
    limit = logs.set_up(form, level, handlers)
    if forwarder:
        forwarder.start()
    try:
        yield Exports(limit, telemetry, forwarder)
    finally:
        if forwarder:
            forwarder.close()
        if telemetry:
            telemetry.close()
