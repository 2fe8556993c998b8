"""Secrets and certificates on this machine: where they come from, and whether they fit together.

A secret is read from a file, the environment or the terminal, never from the command line, which others can see. What
is wrong with one is said without saying what it is. Knows nothing of boards.
"""

from __future__ import annotations

import getpass
import os
import ssl
import sys
import time
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError


def secret(setting: str, file: str, variable: str) -> bytes:
    """Get a secret.

    Args:
        setting: its name, for the question and for messages.
        file: that holds it; "-" for the first line of stdin; "" for the environment, and else the terminal.
        variable: the environment's.

    Returns:
        The secret, without the line's end.

    Raises:
        UsageError: it is nowhere.
    """
    if file == "-":
        return sys.stdin.readline().rstrip("\r\n").encode()
    if file:
        try:
            return Path(file).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}", f"name the file of the {setting}") from error
    if variable in os.environ:
        return os.environ[variable].encode()
    if sys.stdin.isatty():
        return getpass.getpass(f"{setting}: ").encode()
    raise UsageError(f"the {setting} is not given", f"name its file, or set {variable}")


def certificates(ca: Path | None, certificate: Path | None, key: Path | None) -> dict[str, bytes]:
    """Read certificates and a key, and hold them against each other.

    Args:
        ca: of the authorities to trust, PEM; None for none.
        certificate: of a client, PEM; None for none. It goes with its key.
        key: the client's, PEM, not encrypted; None for none.

    Returns:
        ca_file, certificate_file, key_file -> content, of those that were given.

    Raises:
        UsageError: a file cannot be read; one is given without the other.
        ConfigError: it is not PEM, the key is another's or encrypted, an authority's certificate expired.
    """
    if bool(certificate) != bool(key):
        raise UsageError("a certificate goes with its key", "give both")
    contents = {}
    for name, path in (("ca_file", ca), ("certificate_file", certificate), ("key_file", key)):
        if path is not None:
            contents[name] = _read_pem(path)
    if ca is not None:
        _check_authorities(ca)
    if certificate is not None and key is not None:
        _check_pair(certificate, key)
    return contents


def _read_pem(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a PEM file") from error
    if b"-----BEGIN " not in content:
        raise ConfigError(f"{path} is no PEM file", "openssl x509 -inform der, or openssl pkey -inform der, makes one")
    return content


def _check_authorities(path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigError(f"{path} holds no certificate that can be read", "name the authority's PEM file") from error
    for certificate in context.get_ca_certs():
        ends = str(certificate["notAfter"])
        if ssl.cert_time_to_seconds(ends) < time.time():
            raise ConfigError(f"a certificate in {path} expired on {ends}", "get the authority's new one")


def _check_pair(certificate: Path, key: Path) -> None:
    def refuse() -> str:
        raise ConfigError(
            f"{key} is encrypted, and a board cannot prompt for a password", "openssl pkey makes a plain one of it"
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"{key} is not the key of {certificate}", "name the two that were made together"
            ) from error
        raise ConfigError(f"{certificate} and {key} are no certificate and its key", "name PEM files") from error
