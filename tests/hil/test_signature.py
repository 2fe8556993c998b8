"""Signatures of releases on each target: the same verdicts as `cryptography`'s, by the board's own big integers."""

import random

from tests.support import release_keys as keys

_JUDGE = """
from kittiwake_node.update import signature
print(signature.verify({modulus!r}, {digest!r}, {signed!r}))
"""


def test_board_takes_good_signatures_and_refuses_damaged_ones(board):
    rng = random.Random(f"signatures {board.name}")
    key, other = keys.private_key(), keys.private_key(1)
    cases = []
    for _ in range(3):
        message = rng.randbytes(rng.randrange(100))
        signed = keys.sign(key, message)
        flipped = (int.from_bytes(signed, "big") ^ 1 << rng.randrange(3072)).to_bytes(384, "big")
        cases += [(key, message, signed), (key, message, flipped), (other, message, signed), (key, b"other", signed)]
        cases.append((key, message, rng.randbytes(384)))
    verdicts = []
    for signer, message, signed in cases:
        judge = _JUDGE.format(modulus=keys.modulus_of(signer), digest=keys.digest(message), signed=signed)
        verdicts.append(board.exec(judge).strip() == "True")
        assert verdicts[-1] == keys.library_takes(signer, message, signed)
    assert verdicts.count(True) == 3
