"""TLS to the broker: the context from the settings, and one line for each way it can be refused."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.mqtt.address import Address
from kittiwake.mqtt.settings import BrokerSection

# X.509 verification results, as OpenSSL numbers them. Source: openssl/x509_vfy.h.
_EXPIRED, _NOT_YET = 10, 9
_UNTRUSTED = (2, 18, 19, 20, 21, 24, 27)
_WRONG_HOST = (62, 64)


def context(broker: BrokerSection) -> ssl.SSLContext:
    """Make the context: the broker's certificate and name are always checked, TLS 1.2 or later.

    Raises:
        ConfigError: a file cannot be read or does not hold what it should.
    """
    try:
        made = ssl.create_default_context(cafile=broker.ca_file or None)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"broker.ca_file: {broker.ca_file}: {_short(error)}", "name a file of PEM certificates"
        ) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if broker.certificate_file:
        # Without a password OpenSSL would ask on the terminal.
        password = read_secret(broker.key_password_file, "broker.key_password_file") if broker.key_password_file else ""
        try:
            made.load_cert_chain(broker.certificate_file, broker.key_file, lambda: password)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"broker.certificate_file, key_file: {broker.certificate_file}, {broker.key_file}: {_short(error)}",
                "name a PEM certificate and the key that belongs to it, and key_password_file where it has one",
            ) from error
    return made


def read_secret(path: str, setting: str) -> str:
    """First line of a file.

    Raises:
        ConfigError: it cannot be read; names the setting, never the content.
    """
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting}: {path} cannot be read: {_short(error)}") from error


def explain(error: BaseException, address: Address, broker: BrokerSection) -> str:
    """Say in one line why a connection could not be made, and the mend.

    Args:
        error: as the socket, the TLS layer or paho raised it.
        address: of the broker.
        broker: the settings.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{address}: {_refusal(error, address, broker)}"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").upper()
        if "CERTIFICATE_REQUIRED" in reason or ("HANDSHAKE_FAILURE" in reason and not broker.certificate_file):
            return f"{address}: the broker wants a client certificate; set broker.certificate_file and key_file"
        if "UNKNOWN_CA" in reason:
            return f"{address}: the broker does not trust the CA of our certificate; use one that its CA signed"
        if "CERTIFICATE_EXPIRED" in reason:
            return f"{address}: our certificate has expired; renew {broker.certificate_file}"
        if "BAD_CERTIFICATE" in reason or "CERTIFICATE_REVOKED" in reason:
            return f"{address}: the broker refuses our certificate ({error.reason}); use one that its CA signed"
        if "WRONG_VERSION_NUMBER" in reason or "UNEXPECTED_EOF" in reason or "RECORD_LAYER" in reason:
            return f"{address}: what answers there does not speak TLS; check the port, or use mqtt://"
        return f"{address}: TLS failed: {_short(error)}"
    if isinstance(error, ConnectionResetError | BrokenPipeError) and address.is_tls:
        # With TLS 1.3 a broker judges us after our handshake, and its reason can be lost behind the reset.
        what = "refuses our certificate" if broker.certificate_file else "wants a client certificate"
        return f"{address}: the connection was reset: perhaps it {what}, or does not speak TLS; check both"
    if isinstance(error, socket.gaierror):
        return f"{address}: no such host name; check broker.url"
    if isinstance(error, TimeoutError):
        return f"{address}: no answer within {broker.connect_timeout_s} s; check the address and the firewall"
    if isinstance(error, ConnectionRefusedError):
        return f"{address}: nothing listens there; start the broker, or check broker.url"
    return f"{address}: {_short(error)}"


def _refusal(error: ssl.SSLCertVerificationError, address: Address, broker: BrokerSection) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        return "the broker's certificate has expired; renew it on the broker"
    if code == _NOT_YET:
        return "the broker's certificate is not valid yet; set this machine's clock"
    if code in _WRONG_HOST:
        return f"the broker's certificate is not for {address.host}; use the name it was made for in broker.url"
    if code in _UNTRUSTED:
        trusted = broker.ca_file or "the system's store"
        return f"the broker's certificate is not signed by a CA in {trusted}; set broker.ca_file to its CA"
    return f"the broker's certificate is refused: {error.verify_message}"


def _short(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return str(text).splitlines()[0] if str(text) else type(error).__name__
