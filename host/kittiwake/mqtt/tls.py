"""TLS to the broker: the context that the settings' files make. It opens no connection."""

from __future__ import annotations

import ssl
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.mqtt.settings import BrokerSection

# X509_V_FLAG_NO_CHECK_TIME, which Python gives no name. Source: openssl/x509_vfy.h.
_NO_CHECK_TIME = 0x200000


def context(broker: BrokerSection) -> ssl.SSLContext:
    """Make the context: the broker's certificate and name are always checked, TLS 1.2 or later.

    A host name counts only in the certificate's SAN (subjectAltName), never in its CN.

    Args:
        broker: the settings; files are read here.

    Returns:
        A context for a client.

    Raises:
        ConfigError: a file cannot be read or does not hold what it should.
    """
    tls_context = _of_authorities(broker)
    tls_context.hostname_checks_common_name = False
    if broker.crl_file:
        _read_revoked(tls_context, broker.crl_file)
    return tls_context


def context_for_looking(broker: BrokerSection) -> ssl.SSLContext:
    """Make a context that takes any certificate of a trusted CA, whatever its dates, to see what is wrong with it.

    Args:
        broker: the settings; files are read here.

    Returns:
        A context for a connection over which nothing is said.

    Raises:
        ConfigError: as `context` does.
    """
    tls_context = _of_authorities(broker)
    tls_context.check_hostname = False
    tls_context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return tls_context


def _of_authorities(broker: BrokerSection) -> ssl.SSLContext:
    try:
        tls_context = ssl.create_default_context(cafile=broker.ca_file or None)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"broker.ca_file: {broker.ca_file}: {short(error)}", "name a file of PEM certificates"
        ) from error
    tls_context.minimum_version = ssl.TLSVersion.TLSv1_2
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
    return tls_context


def _read_revoked(tls_context: ssl.SSLContext, path: str) -> None:
    before = tls_context.cert_store_stats()
    try:
        tls_context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:
        raise _no_list(path, short(error)) from error
    after = tls_context.cert_store_stats()
    # A certificate in this file would be trusted like those of ca_file.
    if after["crl"] == 0 or after["x509"] != before["x509"]:
        raise _no_list(path, "it holds " + ("certificates" if after["crl"] else "none"))
    tls_context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _no_list(path: str, why: str) -> ConfigError:
    return ConfigError(f"broker.crl_file: {path}: {why}", "name a file of PEM revocation lists alone")


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


def short(error: BaseException) -> str:
    """Say what went wrong in the first line of an error's own words, or in its type's name."""
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return str(text).splitlines()[0] if str(text) else type(error).__name__
