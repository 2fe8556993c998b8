# The library brings types; these do for who checks without the `token` extra.
from collections.abc import Mapping
from typing import Any, Self

class PKCS11Error(Exception): ...
class NoSuchKey(PKCS11Error): ...
class NoSuchToken(PKCS11Error): ...
class PinIncorrect(PKCS11Error): ...
class PinLenRange(PKCS11Error): ...
class PinLocked(PKCS11Error): ...

class Attribute:
    MODULUS: Attribute
    PUBLIC_EXPONENT: Attribute

class KeyType:
    RSA: KeyType

class Mechanism:
    SHA256_RSA_PKCS: Mechanism

class ObjectClass:
    PRIVATE_KEY: ObjectClass

class Session:
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def get_key(
        self, *, object_class: ObjectClass, label: str, key_type: KeyType | None = None
    ) -> Any: ...  # what a key can do, its token decides
    def generate_keypair(
        self,
        key_type: KeyType,
        key_length: int,
        *,
        store: bool,
        label: str,
        public_template: Mapping[Attribute, object],
    ) -> tuple[Any, Any]: ...

class Token:
    def open(self, *, rw: bool, user_pin: str) -> Session: ...

class lib:
    def __init__(self, so: str) -> None: ...
    def get_token(self, *, token_label: str) -> Token: ...
