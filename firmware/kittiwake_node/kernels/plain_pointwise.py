"""Elementwise int8 layers by definition: sums and products of two arrays.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, saturate, scale, signed, signed_word, words

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_A = 0
_B = 1
_OUTPUT = 2
_SIZES = 3
_A_STRIDES = 7
_B_STRIDES = 11
_A_TERMS = 15
_A_ZERO = 15
_B_TERMS = 16
_B_ZERO = 16
_M = 17
_RIGHT = 18
_LEFT = 19
_ZERO = 20


def add(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Add two arrays, each byte's share looked up in its array's table of words.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 21)
    a, b, target, out, pairs = both(d, plan, scratch, state)
    for i, j in pairs:
        total = signed_word(plan, d[_A_TERMS] + 4 * a[i]) + signed_word(plan, d[_B_TERMS] + 4 * b[j])
        target[out] = saturate(scale(total, d[_M], d[_RIGHT], d[_LEFT]) + d[_ZERO] - 128)
        out += 1


def mul(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Multiply two arrays.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 21)
    a, b, target, out, pairs = both(d, plan, scratch, state)
    for i, j in pairs:
        product = (signed(a[i]) - d[_A_ZERO] + 128) * (signed(b[j]) - d[_B_ZERO] + 128)
        target[out] = saturate(scale(product, d[_M], d[_RIGHT], d[_LEFT]) + d[_ZERO] - 128)
        out += 1


def both(
    d: tuple[int, ...], plan: "Memory", scratch: "Memory", state: "Memory"
) -> "tuple[Memory, Memory, Memory, int, list[tuple[int, int]]]":
    """Find two arrays, and which elements of them go together.

    Args:
        d: words of a sum or a product.
        plan: the model's plan.
        scratch: RAM of the invoke.
        state: RAM of the model.

    Returns:
        (buffer of a, of b, of the output, the output's first byte, places in a and in b). Allocates.
    """
    a, first = find(d[_A], plan, scratch, state)
    b, second = find(d[_B], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    a_strides, b_strides = d[_A_STRIDES : _A_STRIDES + 4], d[_B_STRIDES : _B_STRIDES + 4]
    pairs = []
    for i in range(d[_SIZES]):
        for j in range(d[_SIZES + 1]):
            for k in range(d[_SIZES + 2]):
                for n in range(d[_SIZES + 3]):
                    place = (i, j, k, n)
                    pairs.append((first + _distance(place, a_strides), second + _distance(place, b_strides)))
    return a, b, target, out, pairs


def _distance(place: tuple[int, ...], strides: tuple[int, ...]) -> int:
    return sum([count * stride for count, stride in zip(place, strides)])
