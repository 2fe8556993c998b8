"""Why a connection to the broker could not be made, in one line each, and the mend. It opens nothing."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

from kittiwake.mqtt.address import Address
from kittiwake.mqtt.settings import BrokerSection

# X.509 verification results, as OpenSSL numbers them. Source: openssl/x509_vfy.h.
_EXPIRED, _NOT_YET = 10, 9
_UNTRUSTED = (2, 18, 19, 20, 21, 24, 27)
_WRONG_HOST = (62, 64)

# Reason codes of CONNACK; paho gives MQTT 3.1.1's return codes the same numbers. Source: MQTT 5, table 3-1.
UNSUPPORTED_VERSION = 132
_CLIENT_ID_INVALID = 133
_BAD_LOGIN = 134
_NOT_AUTHORIZED = 135


def explain_error(error: BaseException, address: Address, broker: BrokerSection) -> str:
    """Say in one line why a connection could not be made, and the mend.

    Args:
        error: as the socket, the TLS layer or paho raised it.
        address: of the broker.
        broker: the settings.

    Returns:
        The line.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{address}: {_certificate_refusal(error, address, broker)}"
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
        return f"{address}: TLS failed: {short(error)}"
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
    return f"{address}: {short(error)}"


def _certificate_refusal(error: ssl.SSLCertVerificationError, address: Address, broker: BrokerSection) -> str:
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


def explain_refusal(reason: ReasonCode, address: Address, broker: BrokerSection) -> str:
    """Say in one line why the broker did not accept a connection, and the mend.

    Args:
        reason: of its CONNACK.
        address: of the broker.
        broker: the settings.

    Returns:
        The line.
    """
    return f"{address}: the broker refuses us: {reason}{_mend(reason.value, broker)}"


def _mend(code: int, broker: BrokerSection) -> str:
    if code in (_NOT_AUTHORIZED, _BAD_LOGIN):
        if not broker.username and not broker.certificate_file:
            return "; it takes no strangers: set broker.username, or a certificate"
        return "; check broker.username and its password, and the broker's ACL"
    if code == _CLIENT_ID_INVALID:
        return "; choose another broker.client_id"
    return ""


def short(error: BaseException) -> str:
    """Say what went wrong in the first line of an error's own words, or in its type's name."""
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return str(text).splitlines()[0] if str(text) else type(error).__name__
