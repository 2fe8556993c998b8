"""Keys of releases for tests: made once a run, and signatures over blocks that no library would sign."""

import functools
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@functools.cache
def private_key(number=0):
    """One whose modulus leaves room above it, so that some signatures have a twin with the same cube."""
    while True:
        key = rsa.generate_private_key(3, 3072)
        if modulus_of(key)[0] < 0xD0:
            return key


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
