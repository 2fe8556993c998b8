"""Keys of releases for tests, and signatures over blocks that no library would sign."""

import functools
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.release_primes import PRIMES


def private_key(number=0):
    """The test key of that number."""
    return _made(number)


@functools.cache
def _made(number):
    """One whose modulus leaves room above it, so that some signatures have a twin with the same cube."""
    p, q = PRIMES[number]
    d = pow(3, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(3, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def modulus_of(key):
    return key.public_key().public_numbers().n.to_bytes(384, "big")


def sign(key, message):
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def sign_block(key, block):
    """The number whose cube is this block, whatever the block is."""
    numbers = key.private_numbers()
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(384, "big")


def library_takes(key, message, signature):
    """What the reference says."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def digest(message):
    return hashlib.sha256(message).digest()
