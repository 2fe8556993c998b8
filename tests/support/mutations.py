"""Damage to files: bits, bytes, words, pieces, as a bad copy or a hostile hand would do it."""

import random
import struct

_WORDS = (0, 1, 4, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Damage a file in one to four places."""
    broken = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        how = rng.randrange(6)
        at = rng.randrange(len(broken))
        if how == 0:
            broken[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            broken[at] = rng.randrange(256)
        elif how == 2 and len(broken) >= 8:
            at = rng.randrange(len(broken) // 4) * 4
            broken[at : at + 4] = struct.pack("<I", rng.choice(_WORDS))
        elif how == 3 and len(broken) >= 8:  # a word that is nearly right: a count, an index, an offset
            at = rng.randrange(len(broken) // 4) * 4
            (word,) = struct.unpack_from("<I", broken, at)
            broken[at : at + 4] = struct.pack("<I", (word + rng.choice((-4, -1, 1, 2, 4, 256))) & 0xFFFFFFFF)
        elif how == 4:
            size = rng.randint(1, 16)
            start = rng.randrange(len(broken))
            piece = broken[start : start + size]
            broken[at : at + len(piece)] = piece
        elif rng.random() < 0.2:
            del broken[at:]
        else:
            broken[at] = rng.choice((0, 0x7F, 0x80, 0xFF))
        if not broken:
            return b""
    return bytes(broken)
