"""Signatures of releases: RSA of 3072 bits with exponent 3, PKCS #1 v1.5 over SHA-256 (RFC 8017, section 8.2.2).

Pure: a key, a digest and a signature come in as bytes. The whole block is compared with the only one that is right, and
nothing in it is parsed, so there is no padding to be lenient about. Why this scheme: docs/explanation/updates.md.
"""

from ..errors import FrameError

BYTES = 384
"""Of a modulus, and of a signature."""
DIGEST_BYTES = 32
STEPS = 4
"""Of a verification."""
# What a SHA-256 is introduced by: the DER of DigestInfo (RFC 8017, section 9.2, note 1).
_DIGEST_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


class Verification:
    """One signature under judgement, in four steps of about the same cost, so that the loop goes on between them.

    Args:
        modulus: of the public key, big endian, BYTES long, its highest and its lowest bit set.
        digest: SHA-256 of what was signed.
        signature: BYTES long, big endian.

    Raises:
        FrameError: the key is none, or digest or signature have another length.
    """

    def __init__(self, modulus: bytes, digest: bytes, signature: bytes) -> None:
        if len(modulus) != BYTES or not modulus[0] & 0x80 or not modulus[-1] & 1:
            raise FrameError("key", "a modulus has %d bits and is odd" % (8 * BYTES))
        if len(digest) != DIGEST_BYTES or len(signature) != BYTES:
            raise FrameError("signature", "%d bytes over a digest of %d" % (len(signature), len(digest)))
        self._modulus = int.from_bytes(modulus, "big")
        self._signature = int.from_bytes(signature, "big")
        self._block = int.from_bytes(block(digest), "big")
        self._power = self._signature
        self._steps = 0

    def step(self) -> "bool | None":
        """Go on. Allocates up to 2 KiB.

        Returns:
            None while it is not decided; then whether the signature is good. Not to be called again.
        """
        # Two signatures that differ by the modulus would have one cube: only the smaller one is a signature.
        if self._signature >= self._modulus:
            return False
        self._steps += 1
        if self._steps & 1:
            self._power *= self._signature
            return None
        self._power %= self._modulus
        return self._power == self._block if self._steps == STEPS else None


def verify(modulus: bytes, digest: bytes, signature: bytes) -> bool:
    """Judge a signature in one go; see Verification. Allocates up to 4 KiB.

    Args:
        modulus: as of Verification.
        digest: as of Verification.
        signature: as of Verification.

    Returns:
        Whether it is good.

    Raises:
        FrameError: as Verification.
    """
    verification = Verification(modulus, digest, signature)
    while True:
        is_good = verification.step()
        if is_good is not None:
            return is_good


def block(digest: bytes) -> bytes:
    """The one block of BYTES whose cube root is the signature (EMSA-PKCS1-v1_5). Allocates.

    Args:
        digest: SHA-256 of what is signed.
    """
    tail = _DIGEST_INFO + digest
    return b"\x00\x01" + b"\xff" * (BYTES - 3 - len(tail)) + b"\x00" + tail
