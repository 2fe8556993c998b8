"""Blocks of samples to a network's input by definition: each less the block's mean, scaled, as int8.

Must not know what the network tells. Runs anywhere.
"""

if False:  # for mypy alone
    from kittiwake_types import Memory, Samples


def total(buf: "Samples", count: int) -> int:
    """The sum of u = x + 2^15 over the first `count` samples, at most 4096, of array('h')."""
    return sum([buf[i] + 32768 for i in range(count)])


def quantise(state: "Samples", buf: "Samples", out: "Memory") -> None:
    """Write a block as bytes.

    Args:
        state: see the docstring of the package `kernels`.
        buf: array('h'); read only.
        out: bytearray; a byte a sample is written, int8 in two's complement.
    """
    count, mean, multiplier, shift, zero = state
    half = 1 << (shift - 1)
    for i in range(count):
        value = ((buf[i] + 32768 - mean) * multiplier + half >> shift) + zero
        out[i] = max(0, min(255, value)) ^ 128
