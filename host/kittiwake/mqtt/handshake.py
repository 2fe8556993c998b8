"""The TLS handshake with the broker, and whose certificate is there."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any

from kittiwake.errors import ConfigError
from kittiwake.mqtt import problems, tls
from kittiwake.mqtt.address import Address
from kittiwake.mqtt.credentials import Credentials

_LOOK_S = 5.0  # for a second connection, that looks at what the first one refused


def shake_hands(sock: socket.socket, host: str, context: ssl.SSLContext, timeout_s: float) -> ssl.SSLSocket:
    """Make a connected socket a TLS socket.

    Args:
        sock: connected; owned by the result.
        host: as the broker is called.
        context: of a client.
        timeout_s: the handshake may wait for the other end.

    Returns:
        The TLS socket.

    Raises:
        OSError: as the TLS layer raised it; NoCipherError where the two share no cipher.
    """
    tls_sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        tls_sock.settimeout(timeout_s)
        tls_sock.do_handshake()
    except OSError as error:
        # The cipher stands as soon as the other end has answered our greeting.
        has_cipher = tls_sock.cipher() is not None
        tls_sock.close()
        if isinstance(error, ssl.SSLError) and "HANDSHAKE_FAILURE" in (error.reason or "") and not has_cipher:
            raise problems.NoCipherError(*error.args) from error
        raise
    return tls_sock


def refused_certificate(error: BaseException, address: Address, credentials: Credentials) -> Mapping[str, Any]:
    """Look at the certificate that a handshake refused, over a second connection, where it helps to say why.

    Args:
        error: as a connection raised it.
        address: of the broker.
        credentials: that were used.

    Returns:
        The certificate as ssl's getpeercert gives it, or {}. This waits for the network.
    """
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in (
        problems.EXPIRED,
        *problems.WRONG_HOST,
    ):
        # It may have gone meanwhile, or the CA expired; then there is less to say.
        with contextlib.suppress(OSError, ValueError, ConfigError):
            return look(address, credentials, _LOOK_S)
    return {}


def examine(address: Address, credentials: Credentials, context: ssl.SSLContext, timeout_s: float) -> str:
    """Make a connection as we would for good, to see when the broker's certificate ends and whether it is taken.

    Args:
        address: of the broker.
        credentials: ours; its `ends` learn of the broker's certificate, where it can be seen.
        context: of the credentials.
        timeout_s: for all of it, name resolution included.

    Returns:
        Why the broker could not be reached or is not trusted, or "".
    """
    answers: list[str] = []

    def connect() -> None:
        try:
            learn(_fetch(address, context, timeout_s), credentials)
            answers.append("")
        except OSError as error:
            certificate = refused_certificate(error, address, credentials)
            learn(certificate, credentials)
            answers.append(problems.explain_error(error, address, credentials, certificate))

    # On a thread that nobody waits for in the end: looking up a name knows no time limit.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answers[0] if answers else f"{address}: no answer within {timeout_s:.0f} s"


def learn(certificate: Mapping[str, Any], credentials: Credentials) -> None:
    """Note when the broker's certificate ends.

    Args:
        certificate: as ssl's getpeercert gives it; {} for none.
        credentials: noted there.
    """
    ends = problems.end_of(certificate)
    if ends is not None:
        # A new dict: this may be another thread than the one that reads them.
        credentials.ends = {**credentials.ends, "broker": ends}


def look(address: Address, credentials: Credentials, timeout_s: float) -> Mapping[str, Any]:
    """Fetch the broker's certificate, whatever its dates and names, if a CA that we trust has signed it.

    Args:
        address: of the broker.
        credentials: ours.
        timeout_s: for connecting, and again for the handshake.

    Returns:
        The certificate as ssl's getpeercert gives it.

    Raises:
        OSError: there is none.
        ConfigError: a file of ours cannot be read.
    """
    context = tls.context_for_looking(credentials.broker)
    return _fetch(address, context, timeout_s)


def _fetch(address: Address, context: ssl.SSLContext, timeout_s: float) -> Mapping[str, Any]:
    sock = socket.create_connection((address.host, address.port), timeout_s)
    with shake_hands(sock, address.host, context, timeout_s) as tls_sock:
        return tls_sock.getpeercert() or {}
