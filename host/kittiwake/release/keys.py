"""Keys of releases: made, kept encrypted, read, and what they sign.

RSA of 3072 bits with exponent 3, by the `cryptography` library; why: docs/explanation/updates.md. Knows no release.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kittiwake.errors import ConfigError, KittiwakeError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

BITS, EXPONENT = 3072, 3
ON_A_BOARD = 4
PASSPHRASE_LEAST_BYTES = 8
_ID_BYTES = 8


class Signer(Protocol):
    """What signs releases."""

    @property
    def modulus(self) -> bytes:
        """Of the public key, big endian."""

    def sign(self, message: bytes) -> bytes:
        """Sign the SHA-256 of a message: the same bytes every time."""


class PrivateKey:
    """A key of a file.

    Args:
        key: of the library.
    """

    def __init__(self, key: RSAPrivateKey):
        self._key = key

    @property
    def modulus(self) -> bytes:
        """Of the public key, big endian."""
        return self._key.public_key().public_numbers().n.to_bytes(BITS // 8, "big")

    def sign(self, message: bytes) -> bytes:
        """Sign the SHA-256 of a message: the same bytes every time."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def id_of(modulus: bytes) -> bytes:
    """Give the 8 bytes that name a public key.

    Args:
        modulus: big endian.
    """
    return hashlib.sha256(modulus).digest()[:_ID_BYTES]


def make(path: Path, passphrase: bytes) -> bytes:
    """Make a key: the private one encrypted in `path`, the public one beside it in `path`.pub, both PEM.

    Args:
        path: of the private key; must not be there.
        passphrase: that opens it.

    Returns:
        The public key's modulus.

    Raises:
        UsageError: the passphrase is too short, or a file is there already.
        KittiwakeError: a file cannot be written, or the library is missing.
    """
    if len(passphrase) < PASSPHRASE_LEAST_BYTES:
        raise UsageError(f"the passphrase has {len(passphrase)} bytes", f"give {PASSPHRASE_LEAST_BYTES} or more")
    check_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    beside = public_path(path)
    if beside.exists():
        raise UsageError(f"{beside} is there already", "name another file")
    key = rsa.generate_private_key(EXPONENT, BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    _write_new(path, private, 0o600)
    modulus = PrivateKey(key).modulus
    write_public(beside, modulus)
    return modulus


def write_public(path: Path, modulus: bytes) -> None:
    """Write a public key, PEM.

    Args:
        path: of it; must not be there.
        modulus: big endian.

    Raises:
        UsageError: it is there already.
        KittiwakeError: it cannot be written, or the library is missing.
    """
    check_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(modulus, "big")).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write_new(path, pem, 0o644)


def public_path(path: Path) -> Path:
    """Name the file of the public key that goes with a private one's."""
    return path.with_name(path.name + ".pub")


def read_private(path: Path, ask: Callable[[], bytes]) -> PrivateKey:
    """Read a private key.

    Args:
        path: PEM, encrypted.
        ask: gives the passphrase; called once.

    Raises:
        UsageError: it cannot be read.
        ConfigError: it is no key for releases, is not encrypted, or the passphrase is wrong.
    """
    check_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    content = _read(path)
    if b"ENCRYPTED" not in content:
        raise ConfigError(f"{path} is no encrypted private key", "kittiwake release key new makes one")
    try:
        key = serialization.load_pem_private_key(content, ask())
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} does not open with this passphrase") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ConfigError(f"{path} is no RSA key", "kittiwake release key new makes one")
    check_numbers(path, key.key_size, key.public_key().public_numbers().e)
    return PrivateKey(key)


def read_public(path: Path) -> bytes:
    """Read a public key.

    Args:
        path: PEM.

    Returns:
        Its modulus.

    Raises:
        UsageError: it cannot be read.
        ConfigError: it is no public key for releases.
    """
    check_library()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_pem_public_key(_read(path))
    except ValueError as error:
        raise ConfigError(f"{path} is no public key", "name the .pub file beside the private key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ConfigError(f"{path} is no RSA key", "kittiwake release key new makes one")
    check_numbers(path, key.key_size, key.public_numbers().e)
    return key.public_numbers().n.to_bytes(BITS // 8, "big")


def joined(paths: Sequence[Path]) -> bytes:
    """Give public keys as a board keeps them: their moduli, one behind the other.

    Args:
        paths: PEM, at most ON_A_BOARD.

    Raises:
        UsageError: they are too many, or one cannot be read.
        ConfigError: one is no public key for releases.
    """
    if len(paths) > ON_A_BOARD:
        raise UsageError(f"{len(paths)} keys, and a board takes {ON_A_BOARD}", "leave out those that are retired")
    return b"".join(read_public(path) for path in paths)


def split(raw: bytes) -> list[bytes]:
    """Give the moduli of keys as a board keeps them.

    Args:
        raw: as `joined` gives it.
    """
    size = BITS // 8
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def check_library() -> None:
    """Refuse to begin without the library.

    Raises:
        KittiwakeError: it is not installed.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise KittiwakeError("cryptography is not there", "install kittiwake[release]") from error


def check_numbers(name: Path | str, bits: int, exponent: int) -> None:
    """Refuse a key that boards do not take.

    Args:
        name: where it is, for the message.
        bits: of its modulus.
        exponent: of its public half.

    Raises:
        ConfigError: it is another kind of RSA key.
    """
    if (bits, exponent) != (BITS, EXPONENT):
        raise ConfigError(
            f"{name} is RSA-{bits} with exponent {exponent}; boards take RSA-{BITS} with exponent {EXPONENT}",
            "kittiwake release key new makes one",
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a PEM file") from error


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "name another file") from error
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place") from error
