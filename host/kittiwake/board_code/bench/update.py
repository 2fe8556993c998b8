"""Costs of an update: a signature judged, in one go and in the longest of its steps, and the heap it takes."""

import gc

from kittiwake_node.update import signature


def make_verify(storage, modulus, digest, signed):
    """Make the judging of a good signature.

    Args:
        storage: not used.
        modulus: of the key.
        digest: of what was signed.
        signed: the signature.
    """

    def judge():
        if not signature.verify(modulus, digest, signed):
            raise ValueError("a good signature was refused")

    return judge, ()


def make_step(storage, modulus, digest, signed):
    """Make its last step, which divides and compares: the longest.

    Args:
        storage: not used.
        modulus: of the key.
        digest: of what was signed.
        signed: the signature.
    """
    waiting = []
    for _ in range(2):  # one unmeasured, one measured
        verification = signature.Verification(modulus, digest, signed)
        for _ in range(signature.STEPS - 1):
            verification.step()
        waiting.append(verification)
    return lambda: waiting.pop().step(), ()


def make_heap(storage, modulus, digest, signed):
    """Make the judging without a collection: what it allocates in all is more than it ever holds at once.

    Args:
        storage: not used.
        modulus: of the key.
        digest: of what was signed.
        signed: the signature.
    """

    def allocated():
        gc.collect()
        gc.disable()
        before = gc.mem_free()
        signature.verify(modulus, digest, signed)
        used = before - gc.mem_free()
        gc.enable()
        return used

    return allocated, ()
