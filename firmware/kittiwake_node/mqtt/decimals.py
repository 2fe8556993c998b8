"""Decimals: what a double would print, worked out in integers, on boards whose floats have 24 bits or 53.

Pure. A figure is a fraction of integers; what comes out is the text that CPython prints of the double next to it, or of
that double rounded to two places, digit for digit. So a board that speaks MQTT itself and a gateway, which has doubles,
publish the same bytes. Everything here allocates: integers of some hundred bits.
"""

_MANTISSA_BITS = 53
_LARGEST_EXPONENT = 971  # of a double whose mantissa is an integer of 53 bits


def bit_length(n: int) -> int:
    """Bits of an integer that is not negative; 0 of 0. MicroPython's int does not tell."""
    bits = 0
    while n >> 64:
        n >>= 64
        bits += 64
    while n:
        n >>= 1
        bits += 1
    return bits


def isqrt(n: int) -> int:
    """The integer part of the square root, by Newton's iteration from above."""
    if n < 2:
        return n
    root = 1 << (bit_length(n) + 1) // 2
    while True:
        better = (root + n // root) >> 1
        if better >= root:
            return root
        root = better


def nearest(numerator: int, denominator: int) -> tuple[int, int]:
    """The double next to a fraction, halves to even.

    Args:
        numerator: at least 0.
        denominator: above 0.

    Returns:
        (mantissa, exponent): mantissa · 2^exponent, the mantissa of 53 bits; (0, 0) of 0.

    Raises:
        ValueError: no double is that large.
    """
    if not numerator:
        return 0, 0
    shift = _MANTISSA_BITS + 2 - bit_length(numerator) + bit_length(denominator)
    if shift >= 0:
        quotient, rest = divmod(numerator << shift, denominator)
    else:
        quotient, rest = divmod(numerator, denominator << -shift)
    return _rounded(quotient << 1 | (rest != 0), -shift - 1)


def nearest_root(numerator: int, denominator: int) -> tuple[int, int]:
    """The double next to the square root of a fraction. Arguments and result as of `nearest`.

    Raises:
        ValueError: the fraction is negative, or no double is that large.
    """
    if numerator < 0:
        raise ValueError("root of a negative number")
    if not numerator:
        return 0, 0
    # Twice the bits of the root's, so that what is cut off can only say "more than this".
    shift = 2 * (_MANTISSA_BITS + 3) - bit_length(numerator) + bit_length(denominator)
    shift += shift & 1
    if shift >= 0:
        quotient, rest = divmod(numerator << shift, denominator)
    else:
        quotient, rest = divmod(numerator, denominator << -shift)
    root = isqrt(quotient)
    return _rounded(root << 1 | (rest != 0 or root * root != quotient), -(shift // 2) - 1)


def hundredths(mantissa: int, exponent: int) -> int:
    """A double rounded to two places, halves to even, as an integer of hundredths."""
    if exponent >= 0:
        return (mantissa << exponent) * 100
    return _half_even(mantissa * 100, exponent)


def text(mantissa: int, exponent: int, is_negative: bool = False) -> str:
    """The shortest decimal that is read as this double, in the form of CPython's repr.

    Args:
        mantissa: of the double, as `nearest` gives it.
        exponent: of the double, as `nearest` gives it.
        is_negative: put a sign before it, before 0.0 as well.
    """
    sign = "-" if is_negative else ""
    if not mantissa:
        return sign + "0.0"
    top, bottom = (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)
    point = _digits_before_point(top, bottom)
    # Decimals of up to fifteen digits are read as doubles of their own: where fifteen do, only their zeros can go.
    for count in (15, 16):
        digits = _scaled(top, bottom, count - point)
        # Below a power of two doubles lie closer, so the digits next to one need not be those that are read as it.
        for candidate in (digits, digits + 1) if count == 16 else (digits,):
            if _is_read_as(candidate, point - count, mantissa, exponent):
                return sign + _placed(candidate, point - count)
    return sign + _placed(_scaled(top, bottom, 17 - point), point - 17)


def text_of(numerator: int, denominator: int) -> str:
    """`text` of the double next to a fraction of any sign."""
    mantissa, exponent = nearest(abs(numerator), denominator)
    return text(mantissa, exponent, numerator < 0)


def text_of_rounded(mantissa: int, exponent: int, is_negative: bool = False) -> str:
    """`text` of a double rounded to two places."""
    count = hundredths(mantissa, exponent)
    if count < 1000000000000000:
        return ("-" if is_negative else "") + (_placed(count, -2) if count else "0.0")
    mantissa, exponent = nearest(count, 100)
    return text(mantissa, exponent, is_negative)


def _rounded(bits: int, exponent: int) -> tuple[int, int]:
    """Round an integer of more than 53 bits, whose last bit also stands for all that follow it."""
    surplus = bit_length(bits) - _MANTISSA_BITS
    mantissa = _half_even(bits, -surplus)
    exponent += surplus
    if mantissa >> _MANTISSA_BITS:
        mantissa >>= 1
        exponent += 1
    if exponent > _LARGEST_EXPONENT:
        raise ValueError("larger than any double")
    return mantissa, exponent


def _half_even(n: int, exponent: int) -> int:
    """Round n · 2^exponent to the nearest integer, exponent below 0, halves to even."""
    whole = n >> -exponent
    rest = n - (whole << -exponent)
    half = 1 << (-exponent - 1)
    return whole + (rest > half or (rest == half and whole & 1))


def _digits_before_point(top: int, bottom: int) -> int:
    """The k with 10^(k - 1) <= top / bottom < 10^k."""
    k = (bit_length(top) - bit_length(bottom)) * 30103 // 100000
    while top * 10 ** max(0, -k) >= bottom * 10 ** max(0, k):
        k += 1
    while top * 10 ** max(0, 1 - k) < bottom * 10 ** max(0, k - 1):
        k -= 1
    return k


def _scaled(top: int, bottom: int, places: int) -> int:
    """Round top / bottom · 10^places to the nearest integer, halves to even."""
    top, bottom = top * 10 ** max(0, places), bottom * 10 ** max(0, -places)
    whole, rest = divmod(top, bottom)
    return whole + (2 * rest > bottom or (2 * rest == bottom and whole & 1))


def _is_read_as(digits: int, places: int, mantissa: int, exponent: int) -> bool:
    return nearest(digits * 10 ** max(0, places), 10 ** max(0, -places)) == (mantissa, exponent)


def _placed(digits: int, places: int) -> str:
    """Write digits · 10^places in the form of repr."""
    raw = str(digits)
    point = len(raw) + places
    raw = raw.rstrip("0")
    if -4 < point <= 16:
        if point <= 0:
            return "0." + "0" * -point + raw
        if len(raw) <= point:
            return raw + "0" * (point - len(raw)) + ".0"
        return raw[:point] + "." + raw[point:]
    exponent = point - 1
    head = raw[0] + ("." + raw[1:] if len(raw) > 1 else "")
    return "%se%s%02d" % (head, "-" if exponent < 0 else "+", abs(exponent))
