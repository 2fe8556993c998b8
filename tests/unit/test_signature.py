"""Signatures of releases against `cryptography`: good ones, damaged ones, and blocks that a lenient reader would take.

The cases of the second kind follow what Project Wycheproof lists for RSASSA-PKCS1-v1_5 (which padding, which DER, which
edge of the number range), made here with a key of our own. KITTIWAKE_SOAK=1 tries twenty times as many.
"""

import os
import random

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.update import signature
from tests.support import release_keys as keys

COUNT = 3000 if os.environ.get("KITTIWAKE_SOAK") else 150
MESSAGE = b"press 1.4"
DIGEST = keys.digest(MESSAGE)
ALGORITHM = bytes.fromhex("300d06096086480165030402010500")  # SEQUENCE {2.16.840.1.101.3.4.2.1, NULL}


def octets(content):
    return b"\x04" + bytes([len(content)]) + content


def sequence(content):
    return b"\x30" + bytes([len(content)]) + content


def padded(tail, head=b"\x00\x01", fill=b"\xff", end=b"\x00"):
    return head + fill * (384 - len(head) - len(end) - len(tail)) + end + tail


GOOD = sequence(ALGORITHM + octets(DIGEST))
WITHOUT_NULL = sequence(sequence(ALGORITHM[2:-2]) + octets(DIGEST))
LONG = b"\x30\x81\x31" + GOOD[2:]
INDEFINITE = b"\x30\x80" + GOOD[2:] + b"\x00\x00"
SHA1 = bytes.fromhex("3021300906052b0e03021a05000414") + DIGEST[:20]
SHA512_NAME = sequence(bytes.fromhex("300d06096086480165030402030500") + octets(DIGEST))
BLOCKS = {
    "NULL left out": padded(WITHOUT_NULL),
    "outer length in the long form": padded(LONG),
    "outer length with a leading zero": padded(b"\x30\x82\x00\x31" + GOOD[2:]),
    "outer length indefinite": padded(INDEFINITE),
    "outer length one short": padded(b"\x30\x30" + GOOD[2:]),
    "outer length one long": padded(b"\x30\x32" + GOOD[2:]),
    "inner length one short": padded(b"\x30\x31\x30\x0c" + GOOD[4:]),
    "NULL with content": padded(sequence(sequence(ALGORITHM[2:-2] + b"\x05\x01\x00") + octets(DIGEST))),
    "NULL as another tag": padded(GOOD.replace(b"\x05\x00", b"\x04\x00", 1)),
    "appended to the structure": padded(sequence(ALGORITHM + octets(DIGEST) + b"\x05\x00")),
    "appended behind it": padded(GOOD + b"\x00"),
    "appended null behind it": padded(GOOD + b"\x05\x00"),
    "prepended": padded(sequence(b"\x05\x00" + ALGORITHM + octets(DIGEST))),
    "set in place of sequence": padded(b"\x31" + GOOD[1:]),
    "constructed octets": padded(sequence(ALGORITHM + b"\x24\x22" + octets(DIGEST))),
    "name of SHA-512": padded(SHA512_NAME),
    "SHA-1": padded(SHA1),
    "digest alone": padded(DIGEST),
    "digest truncated": padded(sequence(ALGORITHM + octets(DIGEST[:31]))),
    "digest zero": padded(sequence(ALGORITHM + octets(bytes(32)))),
    "digest empty": padded(sequence(ALGORITHM + octets(b""))),
    "block type 0": padded(GOOD, head=b"\x00\x00"),
    "block type 2": padded(GOOD, head=b"\x00\x02"),
    "first byte not zero": padded(GOOD, head=b"\x01\x01"),
    "fill of zeros": padded(GOOD, fill=b"\x00"),
    "fill of FE": padded(GOOD, fill=b"\xfe"),
    "no zero behind the fill": padded(GOOD, end=b"\xff"),
    "fill of eight bytes, garbage behind": (padded(GOOD)[:10] + b"\x00" + GOOD + bytes(384))[:384],
    "no fill": (b"\x00\x01\x00" + GOOD + bytes(384))[:384],
    "no padding at all": GOOD.rjust(384, b"\x00"),
    "all zero": bytes(384),
    "one": b"\x01".rjust(384, b"\x00"),
}


@pytest.fixture(scope="module")
def key():
    return keys.private_key()


def takes(key, message, signed):
    return signature.verify(keys.modulus_of(key), keys.digest(message), signed)


def test_signatures_of_the_library_are_taken(key):
    rng = random.Random(17)
    for _ in range(COUNT):
        message = rng.randbytes(rng.randrange(200))
        assert takes(key, message, keys.sign(key, message))


def test_signatures_with_something_changed_are_refused_as_the_library_does(key):
    rng = random.Random(18)
    other = keys.private_key(1)
    for _ in range(COUNT):
        message = rng.randbytes(rng.randrange(1, 200))
        signed = keys.sign(key, message)
        bit = 1 << rng.randrange(8 * len(signed))
        flipped = (int.from_bytes(signed, "big") ^ bit).to_bytes(384, "big")
        at = rng.randrange(len(message))
        for wrong, text in (
            (flipped, message),
            (rng.randbytes(384), message),
            (signed[::-1], message),
            (signed, message[:at] + bytes([message[at] ^ 1 << rng.randrange(8)]) + message[at + 1 :]),
            (signed, message + b"\x00"),
        ):
            assert not keys.library_takes(key, text, wrong)
            assert not takes(key, text, wrong)
        assert not takes(other, message, signed)


def test_every_bit_of_a_signature_counts(key):
    number = int.from_bytes(keys.sign(key, MESSAGE), "big")
    assert [bit for bit in range(3072) if takes(key, MESSAGE, (number ^ 1 << bit).to_bytes(384, "big"))] == []


@pytest.mark.parametrize("name", BLOCKS)
def test_block_that_is_not_the_one_is_refused_although_its_cube_root_is_right(key, name):
    signed = keys.sign_block(key, BLOCKS[name])
    assert len(BLOCKS[name]) == 384
    assert not keys.library_takes(key, MESSAGE, signed)
    assert not takes(key, MESSAGE, signed)


def test_block_that_is_the_one_is_taken(key):
    """Shows that the cases above are refused for what they say, not for how they were made."""
    assert padded(GOOD) == signature.block(DIGEST)
    signed = keys.sign_block(key, padded(GOOD))
    assert signed == keys.sign(key, MESSAGE)
    assert takes(key, MESSAGE, signed)


def test_forgery_by_a_cube_root_with_garbage_behind_the_digest_is_refused(key):
    """Bleichenbacher's of 2006: with exponent 3 it needs no key, only a reader that does not look at the end."""
    front = int.from_bytes(b"\x00\x01" + b"\xff" * 8 + b"\x00" + GOOD, "big") << 8 * (384 - 11 - len(GOOD))
    root = 1 << 1020
    while not root**3 <= front < (root + 1) ** 3:
        root = (2 * root + front // root**2) // 3
    root += 1
    cube = (root**3).to_bytes(384, "big")
    assert cube[: 11 + len(GOOD)] == b"\x00\x01" + b"\xff" * 8 + b"\x00" + GOOD
    assert not takes(key, MESSAGE, root.to_bytes(384, "big"))


def test_signature_is_the_smallest_number_with_its_cube(key):
    number = int.from_bytes(keys.sign(key, MESSAGE), "big")
    modulus = int.from_bytes(keys.modulus_of(key), "big")
    lifted = number + modulus
    if lifted < 1 << 3072:
        assert not takes(key, MESSAGE, lifted.to_bytes(384, "big"))
    for wrong in (0, 1, modulus - 1, modulus, modulus + 1, modulus - number, (1 << 3072) - 1):
        assert not takes(key, MESSAGE, wrong.to_bytes(384, "big"))


def test_signature_above_the_modulus_is_refused_where_its_cube_is_right(key):
    """Where signature and modulus together stay below 2^3072: with a key of private_key one message in six or more."""
    modulus = int.from_bytes(keys.modulus_of(key), "big")
    for count in range(200):
        message = b"%d" % count
        lifted = int.from_bytes(keys.sign(key, message), "big") + modulus
        if lifted < 1 << 3072:
            assert pow(lifted, 3, modulus) == int.from_bytes(signature.block(keys.digest(message)), "big")
            assert not takes(key, message, lifted.to_bytes(384, "big"))
            return
    pytest.fail("no message of 200 has a signature that can be lifted")


@pytest.mark.parametrize("size", [0, 1, 383, 385, 768])
def test_signature_of_another_length_is_no_signature(key, size):
    with pytest.raises(FrameError, match="signature"):
        takes(key, MESSAGE, bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_digest_of_another_length_is_none(key, size):
    with pytest.raises(FrameError, match="signature"):
        signature.verify(keys.modulus_of(key), bytes(size), bytes(384))


def test_key_that_is_short_or_even_is_none(key):
    modulus = keys.modulus_of(key)
    for wrong in (b"", modulus[1:], modulus + b"\x01", b"\x7f" + modulus[1:], modulus[:-1] + b"\x00", bytes(384)):
        with pytest.raises(FrameError, match="key"):
            signature.verify(wrong, DIGEST, keys.sign(key, MESSAGE))


def test_verification_in_steps_says_nothing_before_the_last(key):
    verification = signature.Verification(keys.modulus_of(key), DIGEST, keys.sign(key, MESSAGE))
    assert [verification.step() for _ in range(signature.STEPS)] == [None, None, None, True]
