"""Begins what a process exports of itself, where its configuration says so. It knows no library that exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.observe.settings import OtlpSection

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


def telemetry(section: OtlpSection, service: str, instance: str) -> Telemetry | None:
    """Begin the export over OTLP.

    Args:
        section: the settings.
        service: "bridge", "history", "decide".
        instance: which of them.

    Returns:
        It; None where no endpoint is named.

    Raises:
        KittiwakeError, ConfigError: see `has_packages`.
    """
    if not has_packages(section):
        return None
    from kittiwake.observe.otlp import Telemetry

    return Telemetry(section, service, instance)
