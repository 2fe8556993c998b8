"""Why a connection to the broker could not be made, in one line each, and the mend. It opens nothing."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any

from paho.mqtt.reasoncodes import ReasonCode

from kittiwake.mqtt import validity
from kittiwake.mqtt.address import Address
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.tls import short

# X.509 verification results, as OpenSSL numbers them. Source: openssl/x509_vfy.h.
EXPIRED, WRONG_HOST = 10, (62, 64)
_NOT_YET = 9
_UNTRUSTED = (2, 18, 19, 20, 21, 24, 27)
_NO_LIST, _DAMAGED_LIST, _LIST_NOT_YET, _LIST_EXPIRED, _REVOKED = 3, 8, 11, 12, 23

# Reason codes of CONNACK; paho gives MQTT 3.1.1's return codes the same numbers. Source: MQTT 5, table 3-1.
UNSUPPORTED_VERSION = 132
SESSION_TAKEN_OVER = 142
_CLIENT_ID_INVALID = 133
_BAD_LOGIN = 134
_NOT_AUTHORIZED = 135


class NoCipherError(ssl.SSLError):
    """The broker ended the handshake before a cipher was agreed on."""


def explain_error(
    error: BaseException, address: Address, credentials: Credentials, certificate: Mapping[str, Any]
) -> str:
    """Say in one line why a connection could not be made, and the mend.

    Args:
        error: as the socket, the TLS layer or paho raised it.
        address: of the broker.
        credentials: that were used.
        certificate: the broker's that was refused, as ssl's getpeercert gives it; {} where nobody looked at it.

    Returns:
        The line.
    """
    broker = credentials.broker
    if _is_cut(error) and address.is_tls:
        # With TLS 1.3 a broker judges us after our handshake, and its reason can be lost behind the reset.
        what = "refuses our certificate" if broker.certificate_file else "wants a client certificate"
        return f"{address}: {_ours_is_past(credentials) or _RESET.format(what)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{address}: {_certificate_refusal(error, address, credentials, certificate)}"
    if isinstance(error, ssl.SSLError):
        return f"{address}: {_tls_failure(error, credentials)}"
    if isinstance(error, socket.gaierror):
        return f"{address}: no such host name; check broker.url"
    if isinstance(error, TimeoutError):
        return f"{address}: no answer within {broker.connect_timeout_s} s; check the address and the firewall"
    if isinstance(error, ConnectionRefusedError):
        return f"{address}: nothing listens there; start the broker, or check broker.url"
    return f"{address}: {short(error)}"


def is_of_certificates(error: BaseException) -> bool:
    """Whether a connection failed because one end does not accept the other's certificate.

    Args:
        error: as the TLS layer raised it.
    """
    # One that Python itself did not raise, such as an alert that was read late, has no reason.
    reason = str(getattr(error, "reason", None) or "").upper() if isinstance(error, ssl.SSLError) else ""
    return isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE" in reason or "UNKNOWN_CA" in reason


def explain_end(address: Address, credentials: Credentials, what: str) -> str:
    """Say in one line what the broker did without giving a reason.

    Args:
        address: of the broker.
        credentials: that were used.
        what: it did.

    Returns:
        The line, with our certificate's end where that is past: brokers may close without a word over it.
    """
    past = _ours_is_past(credentials)
    return f"{address}: {what}{'; ' if past else ''}{past}"


def _is_cut(error: BaseException) -> bool:
    if isinstance(error, ssl.SSLEOFError):
        # Within the handshake it would be an end that speaks no TLS.
        return "UNEXPECTED_EOF" not in (getattr(error, "reason", None) or "")
    return isinstance(error, ConnectionResetError | BrokenPipeError)


_RESET = "the connection was reset: perhaps it {}, or does not speak TLS; check both"


def _tls_failure(error: ssl.SSLError, credentials: Credentials) -> str:
    if isinstance(error, NoCipherError):
        return "no common cipher; check what the broker is told to use (ciphers, ciphers_tls1.3), and its key's kind"
    broker = credentials.broker
    reason = (error.reason or "").upper()
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return "no common TLS version; the broker has to speak TLS 1.2 or 1.3"
    if "CERTIFICATE_REQUIRED" in reason or ("HANDSHAKE_FAILURE" in reason and not broker.certificate_file):
        return "the broker wants a client certificate; set broker.certificate_file and key_file"
    if "CERTIFICATE_EXPIRED" in reason:
        # It is expired by the broker's clock.
        return _ours_is_past(credentials) or (
            f"the broker says that our certificate has expired, and it ends on {_end(credentials.ends, 'client')}; "
            "compare the clocks"
        )
    if "UNKNOWN_CA" in reason:
        return "the broker does not trust the CA of our certificate; use one that its CA signed"
    if "CERTIFICATE_REVOKED" in reason:
        return f"the broker says that our certificate is revoked; get another for {broker.certificate_file}"
    if "BAD_CERTIFICATE" in reason:
        return f"the broker refuses our certificate ({error.reason}); use one that its CA signed"
    if "WRONG_VERSION_NUMBER" in reason or "UNEXPECTED_EOF" in reason or "RECORD_LAYER" in reason:
        return "what answers there does not speak TLS; check the port, or use mqtt://"
    return f"TLS failed: {short(error)}"


def _certificate_refusal(
    error: ssl.SSLCertVerificationError, address: Address, credentials: Credentials, certificate: Mapping[str, Any]
) -> str:
    broker, code = credentials.broker, error.verify_code
    trusted = broker.ca_file or "the system's store"
    if code == EXPIRED:
        return _expiry(credentials, certificate)
    if code == _NOT_YET:
        return "the broker's certificate is not valid yet; set this machine's clock"
    if code in WRONG_HOST:
        return _wrong_host(address, certificate)
    if code in _UNTRUSTED:
        return f"the broker's certificate is not signed by a CA in {trusted}; set broker.ca_file to its CA"
    lists = broker.crl_file
    if code == _REVOKED:
        return f"the broker's certificate is revoked by {lists}; give the broker another"
    if code == _LIST_EXPIRED:
        ended = _end(credentials.ends, "crl")
        return f"the revocation list {lists} expired on {ended}; fetch the CA's newest"
    if code == _LIST_NOT_YET:
        return f"the revocation list {lists} is not valid yet; set this machine's clock"
    if code in (_NO_LIST, _DAMAGED_LIST):
        return f"{lists} has no list of the CA that signed the broker's certificate; add it to broker.crl_file"
    return f"the broker's certificate is refused: {error.verify_message}"


def _expiry(credentials: Credentials, certificate: Mapping[str, Any]) -> str:
    ends, now_s = end_of(certificate), time.time()
    if ends is not None and ends < now_s:
        return f"the broker's certificate expired on {validity.date(ends)}; renew it on the broker"
    if credentials.ends.get("ca", now_s) < now_s:
        return f"a CA in {credentials.broker.ca_file} expired on {_end(credentials.ends, 'ca')}; get the CA's new one"
    return "the broker's certificate, or a CA's before it, has expired; renew it on the broker"


def _wrong_host(address: Address, certificate: Mapping[str, Any]) -> str:
    mend = f"make it with subjectAltName={'DNS' if address.host.strip('0123456789.') else 'IP'}:{address.host}"
    if not certificate:
        return f"the broker's certificate is not for {address.host}; use the name it was made for in broker.url"
    hosts = [name for kind, name in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not hosts:
        return f"the broker's certificate names no host in its SAN, and a CN alone does not count; {mend}"
    names = ", ".join(hosts[:5])
    return f"the broker's certificate is not for {address.host} but for {names}; use that in broker.url, or {mend}"


def _ours_is_past(credentials: Credentials) -> str:
    if credentials.ends.get("client", float("inf")) > time.time():
        return ""
    return f"our certificate expired on {_end(credentials.ends, 'client')}; renew {credentials.broker.certificate_file}"


def _end(ends: Mapping[str, float], name: str) -> str:
    return validity.date(ends[name]) if name in ends else "a day that it does not name"


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


def explain_takeover(address: Address, client_id: str, is_told: bool) -> str:
    """Say in one line that another program has our session, and the mend.

    Args:
        address: of the broker.
        client_id: ours.
        is_told: the broker said so; else it closes each connection without a word and accepts the next at once.

    Returns:
        The line.
    """
    why = "another program connects" if is_told else "the broker closed it again: perhaps another program connects"
    return f"{address}: {why} as {client_id}; give a second bridge a bridge.id of its own"


def _mend(code: int, broker: BrokerSection) -> str:
    if code in (_NOT_AUTHORIZED, _BAD_LOGIN):
        if not broker.username and not broker.certificate_file:
            return "; it takes no strangers: set broker.username, or a certificate"
        return "; check broker.username and its password, and the broker's ACL"
    if code == _CLIENT_ID_INVALID:
        return "; choose another broker.client_id"
    return ""


def end_of(certificate: Mapping[str, Any]) -> float | None:
    """Tell when a peer's certificate ends.

    Args:
        certificate: as ssl's getpeercert gives it; {} for none.

    Returns:
        Seconds since 1970, or None.
    """
    not_after = certificate.get("notAfter")
    return ssl.cert_time_to_seconds(not_after) if isinstance(not_after, str) else None
