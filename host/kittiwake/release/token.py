"""Keys of releases in a PKCS #11 token: made there, named by a URI (RFC 7512), and never read.

By the `python-pkcs11` library and the token's own module. Knows no release.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.release import keys

if TYPE_CHECKING:
    import pkcs11

SCHEME = "pkcs11:"
_MEND = "write pkcs11:token=NAME;object=NAME?module-path=/usr/lib/softhsm/libsofthsm2.so"


@dataclass(frozen=True)
class Place:
    """Where a key is.

    Args:
        module: path of the token's library.
        token: its label.
        object: the key's label.
        pin_file: that holds the PIN; "" for none.
    """

    module: str
    token: str
    object: str
    pin_file: str = ""


class TokenKey:
    """What signs, in a token. It opens a session for each signature.

    Args:
        place: of the key.
        ask: gives the PIN; called once.

    Raises:
        UsageError: there is no such token, or no such key in it.
        ConfigError: it is no key for releases, or the PIN is wrong.
        KittiwakeError: the library is missing, or the token's fails.
    """

    def __init__(self, place: Place, ask: Callable[[], bytes]):
        self._place, self._pin = place, ask()
        with _key(place, self._pin) as key:
            modulus, exponent = _numbers(key)
        keys.check_numbers(f"{place.object} in {place.token}", int.from_bytes(modulus, "big").bit_length(), exponent)
        self.modulus = modulus

    def sign(self, message: bytes) -> bytes:
        """Sign the SHA-256 of a message: the same bytes every time.

        Args:
            message: of any length.
        """
        import pkcs11

        with _key(self._place, self._pin) as key:
            signature: bytes = key.sign(message, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS)
        return signature


def parse(uri: str) -> Place:
    """Read the name of a key.

    Args:
        uri: `pkcs11:token=…;object=…?module-path=…`, and `pin-source=FILE` where the PIN is in a file.

    Raises:
        UsageError: it is none, or holds the PIN itself, which others could see.
    """
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    named = dict(part.partition("=")[::2] for part in path.split(";") if part)
    asked = dict(parse_qsl(query.replace("+", "%2B")))
    if "pin-value" in asked:
        raise UsageError("a PIN on the command line can be seen by others", "name its file: pin-source=FILE")
    unknown = sorted((set(named) - {"token", "object", "type"}) | (set(asked) - {"module-path", "pin-source"}))
    if unknown:
        raise UsageError(f"{unknown[0]} in a key's URI is not understood", _MEND)
    token, name, module = (
        unquote(named.get("token", "")),
        unquote(named.get("object", "")),
        asked.get("module-path", ""),
    )
    if not token or not name or not module:
        raise UsageError("a key's URI names token, object and module-path", _MEND)
    return Place(module, token, name, asked.get("pin-source", "").removeprefix("file:"))


def make(place: Place, pin: bytes) -> bytes:
    """Make a key in a token, to stay there.

    Args:
        place: of it; no key of this name may be there.
        pin: of the token.

    Returns:
        The public key's modulus.

    Raises:
        UsageError: there is no such token, or a key of this name.
        ConfigError: the PIN is wrong.
        KittiwakeError: the library is missing, or the token's fails.
    """
    with _session(place, pin, writes=True) as session:
        import pkcs11

        with contextlib.suppress(pkcs11.NoSuchKey):
            session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=place.object)
            raise UsageError(f"{place.object} is in {place.token} already", "name another object")
        template = {pkcs11.Attribute.PUBLIC_EXPONENT: bytes([keys.EXPONENT])}
        _, private = session.generate_keypair(
            pkcs11.KeyType.RSA, keys.BITS, store=True, label=place.object, public_template=template
        )
        return _numbers(private)[0]


def _numbers(key: Any) -> tuple[bytes, int]:
    import pkcs11

    modulus, exponent = key[pkcs11.Attribute.MODULUS], key[pkcs11.Attribute.PUBLIC_EXPONENT]
    return modulus.lstrip(b"\0"), int.from_bytes(exponent, "big")


# What a key can do is put into its class when the library has asked the token, so no type of it says so.
@contextlib.contextmanager
def _key(place: Place, pin: bytes) -> Iterator[Any]:
    with _session(place, pin) as session:
        import pkcs11

        try:
            key = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY, key_type=pkcs11.KeyType.RSA, label=place.object
            )
        except pkcs11.NoSuchKey as error:
            raise UsageError(
                f"{place.token} has no RSA key {place.object}", "kittiwake release key new --token"
            ) from error
        yield key


@contextlib.contextmanager
def _session(place: Place, pin: bytes, writes: bool = False) -> Iterator[pkcs11.Session]:
    try:
        import pkcs11
    except ImportError as error:
        raise KittiwakeError("python-pkcs11 is not there", "install kittiwake[token]") from error
    try:
        token = pkcs11.lib(place.module).get_token(token_label=place.token)
        with token.open(rw=writes, user_pin=pin.decode(errors="replace")) as session:
            yield session
    except pkcs11.NoSuchToken as error:
        raise UsageError(
            f"{place.module} has no token {place.token}", "its own tool lists those that it has"
        ) from error
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinLocked) as error:
        raise ConfigError(f"{place.token} does not open with this PIN ({type(error).__name__})") from error
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        why = str(error) or type(error).__name__
        raise KittiwakeError(f"{place.module}: {why}", "check module-path and the token") from error
