"""Seeded test signals that try every path of an exact integer detector. Knows no detector's code, only definitions."""

import random
from fractions import Fraction
from functools import cache
from math import gcd, pi, sin

LOW, HIGH = -32768, 32767


def clip(value: float, low: int = LOW, high: int = HIGH) -> int:
    """Round and limit to the type."""
    return max(low, min(high, round(value)))


@cache  # a search, and every kernel asks for the same; nobody changes what it gives
def tie_window(n: int, t: Fraction, seed: int) -> list[int] | None:
    """Find a window of n small integers whose last sample has |z| = t exactly, the sum being 0.

    With the sum 0 the condition q²·(n - 1)·(n·x)² = p²·n·(n·Q) is Q = q²·(n - 1)·x²/p². The others' sum is -x and their
    squares Q - x²; a random walk of pairwise moves finds them.

    Returns:
        The window, or None where no such integers exist within the tries.
    """
    chance = random.Random(seed)
    p, q = t.numerator, t.denominator
    x = p // gcd(p, n - 1) if p % (n - 1) else p
    for factor in range(1, 9):
        top = q * q * (n - 1) * (x * factor) ** 2
        squares, left = divmod(top, p * p)
        goal = squares - (x * factor) ** 2
        if left or (goal - x * factor) % 2 or goal < 0:
            continue
        others = [-(x * factor) // (n - 1)] * (n - 1)
        for i in range(-x * factor - sum(others)):
            others[i] += 1
        have = sum(value * value for value in others)
        for _ in range(200_000):
            if have == goal:
                return [*others, x * factor]
            i, j = chance.randrange(n - 1), chance.randrange(n - 1)
            change = 2 * (others[i] - others[j] + 1)
            if i != j and abs(goal - have - change) <= abs(goal - have) + (chance.random() < 0.05) * 4:
                others[i] += 1
                others[j] -= 1
                have += change
    return None


def ties(n: int, t: Fraction, seed: int, low: int = LOW, high: int = HIGH) -> list[int]:
    """Return windows that end in an exact tie, at several scales and offsets, also with the last sample one LSB off."""
    chance = random.Random(seed)
    window = tie_window(n, t, seed)
    if window is None:
        return []
    largest = max(abs(value) for value in window)
    out: list[int] = []
    for scale in (1, 3, max(1, (high // largest) // 40), high // largest):
        for sign in (1, -1):
            for change in (0, 1, -1):
                others = window[:-1]
                chance.shuffle(others)
                values = [sign * scale * value for value in [*others, window[-1]]]
                values[-1] += change
                if min(values) < low or max(values) > high:
                    continue
                offset = chance.randint(low - min(values), high - max(values))
                out += [value + offset for value in values]
    return out


def adversarial(n: int, t: Fraction, seed: int = 1, low: int = LOW, high: int = HIGH) -> dict[str, list[int]]:
    """Signals by name, each some windows long: ties, full-scale squares, constants, LSB steps, extremes of the type.

    Args:
        n: window length that the signals are made to hurt.
        t: threshold for the exact ties.
        seed: seed.
        low, high: range of the type.
    """
    chance = random.Random(seed)
    span = max(4 * n, 400)
    out = {
        "zeros": [0] * span,
        "lowest": [low] * span,
        "highest": [high] * span,
        "alternating extremes": [low, high] * (span // 2),
        "extremes at random": [chance.choice((low, high)) for _ in range(span)],
        "rare highest": [high if i % (n + 3) == n else low for i in range(span)],
        "rare lowest": [low if i % (n - 1) == n - 2 else high for i in range(span)],
        "one LSB steps": [(i // 7) % 2 for i in range(span)],
        "one LSB at random": [chance.getrandbits(1) for _ in range(span)],
        "one LSB once in a window": [1 if i % n == n - 1 else 0 for i in range(span)],
        "staircase": [clip(low + i, low, high) for i in range(span)],
        "saw": [low + i * 997 % (high - low + 1) for i in range(span)],
        "sine": [clip(high * sin(2 * pi * i / 37.5), low, high) for i in range(span)],
        "ties": ties(n, t, seed, low, high),
    }
    for period in sorted({2, 3, n // 2 or 1, n, n + 1, 2 * n}):
        out[f"square {period}"] = [low if i // period % 2 else high for i in range(span)]
    for sigma in (0.4, 3, 40, 700, 9000):
        level = chance.uniform(low / 2, high / 2)
        out[f"gaussian {sigma}"] = [
            clip(level + chance.gauss(0, sigma) * (12 if chance.random() < 0.01 else 1), low, high) for _ in range(span)
        ]
    walk = 0
    steps = []
    for _ in range(span):
        walk = clip(walk + chance.gauss(0, 300), low, high)
        steps.append(walk)
    out["random walk"] = steps
    out["uniform"] = [chance.randint(low, high) for _ in range(span)]
    bursts: list[int] = []
    while len(bursts) < span:  # amplitudes over all of the type, so that the sums cross every limb
        amplitude = 2 ** chance.uniform(0, (high - low).bit_length() - 1)
        bursts += [
            clip(chance.uniform(-amplitude, amplitude), low, high) for _ in range(chance.randint(1, max(2, n // 3)))
        ]
    out["bursts"] = bursts
    return out


def mixed(count: int, seed: int, low: int = LOW, high: int = HIGH) -> list[int]:
    """Return a long random signal: stretches of noise of every size around changing levels, with outliers."""
    chance = random.Random(seed)
    out: list[int] = []
    while len(out) < count:
        sigma = 2 ** chance.uniform(-2, (high - low).bit_length() - 3)
        level = chance.uniform(low, high)
        rate = chance.choice((0.0, 0.002, 0.02, 0.2))
        for _ in range(chance.randint(10, 3000)):
            value = chance.gauss(level, sigma)
            if chance.random() < rate:
                value += chance.choice((-1, 1)) * sigma * chance.uniform(2, 30)
            out.append(clip(value, low, high))
    return out[:count]
