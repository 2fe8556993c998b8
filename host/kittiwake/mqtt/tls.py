"""TLS to the broker: the context and the secrets that the settings name."""

from __future__ import annotations

import ssl
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.mqtt.problems import short
from kittiwake.mqtt.settings import BrokerSection


def context(broker: BrokerSection) -> ssl.SSLContext:
    """Make the context: the broker's certificate and name are always checked, TLS 1.2 or later.

    Args:
        broker: the settings; files are read here.

    Returns:
        A context for a client.

    Raises:
        ConfigError: a file cannot be read or does not hold what it should.
    """
    try:
        tls_context = ssl.create_default_context(cafile=broker.ca_file or None)
    except (OSError, ValueError) as error:
        raise _no_ca(broker, error) from error
    tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
    _read_ours(tls_context, broker)
    return tls_context


def read_certificates(tls_context: ssl.SSLContext, broker: BrokerSection) -> None:
    """Read the certificates' files into a context; connections made from then on use them.

    Args:
        tls_context: CAs are added, our certificate and key are replaced.
        broker: the settings that name the files.

    Raises:
        ConfigError: a file cannot be read or does not hold what it should.
    """
    if broker.ca_file:
        try:
            tls_context.load_verify_locations(cafile=broker.ca_file)
        except (OSError, ValueError) as error:
            raise _no_ca(broker, error) from error
    _read_ours(tls_context, broker)


def _no_ca(broker: BrokerSection, error: Exception) -> ConfigError:
    return ConfigError(f"broker.ca_file: {broker.ca_file}: {short(error)}", "name a file of PEM certificates")


def _read_ours(tls_context: ssl.SSLContext, broker: BrokerSection) -> None:
    if broker.certificate_file:
        # Without a password OpenSSL would ask on the terminal.
        password = read_secret(broker.key_password_file, "broker.key_password_file") if broker.key_password_file else ""
        try:
            tls_context.load_cert_chain(broker.certificate_file, broker.key_file, lambda: password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"broker.certificate_file, key_file: {broker.certificate_file}, {broker.key_file}: {short(error)}",
                "name a PEM certificate and the key that belongs to it, and key_password_file where it has one",
            ) from error


def read_secret(path: str, setting: str) -> str:
    """Read the first line of a file.

    Args:
        path: of the file, UTF-8.
        setting: the setting that names it, for the message.

    Returns:
        The line without its end.

    Raises:
        ConfigError: it cannot be read; names the setting, never the content.
    """
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting}: {path} cannot be read: {short(error)}") from error
