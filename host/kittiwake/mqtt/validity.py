"""When certificates and revocation lists end, read from PEM files. It judges nothing: that is the TLS layer's.

Python's `ssl` tells the dates of CAs and of peers, not those of a certificate of ours or of a revocation list.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime

_BLOCK = re.compile(rb"-----BEGIN (X509 CRL|(?:X509 |TRUSTED )?CERTIFICATE)-----(.*?)-----END \1-----", re.DOTALL)
# Tags of DER. Source: ITU-T X.690, section 8; X.680, table 1.
_INTEGER, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x02, 0x17, 0x18, 0xA0
_CENTURY_PIVOT = 50  # of a UTCTime's two digits. Source: RFC 5280, section 4.1.2.5.1


def ends(pem: bytes) -> list[float]:
    """Tell when each certificate and each revocation list of a PEM file ends.

    Args:
        pem: the file's content.

    Returns:
        Seconds since 1970, in the file's order; a revocation list that names no end is left out.

    Raises:
        ValueError: a block holds something else than its head says.
    """
    ends = []
    for match in _BLOCK.finditer(pem):
        try:
            der = base64.b64decode(b"".join(match[2].split()), validate=True)
            end = _list_end(der) if match[1] == b"X509 CRL" else _certificate_end(der)
        except (binascii.Error, IndexError, StopIteration) as error:
            raise ValueError("a damaged PEM block") from error
        if end is not None:
            ends.append(end)
    return ends


def date(seconds: float) -> str:
    """Write a time as people write a date, in UTC.

    Args:
        seconds: since 1970.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _certificate_end(der: bytes) -> float | None:
    # Source: RFC 5280, section 4.1: version, serial number, algorithm, issuer, validity.
    fields = _signed_fields(der)
    if fields[0][0] == _VERSION:
        del fields[0]
    _, start, end = fields[3]
    _, not_after = _children(der, start, end)
    return _time(der, *not_after)


def _list_end(der: bytes) -> float | None:
    # Source: RFC 5280, section 5.1: version, algorithm, issuer, this update, next update; the last may be left out.
    fields = _signed_fields(der)
    if fields[0][0] == _INTEGER:
        del fields[0]
    tag = fields[3][0] if len(fields) > 3 else 0
    return _time(der, *fields[3]) if tag in (_UTC_TIME, _GENERALIZED_TIME) else None


def _signed_fields(der: bytes) -> list[tuple[int, int, int]]:
    _, start, end = next(_children(der, 0, len(der)))
    _, start, end = next(_children(der, start, end))
    return list(_children(der, start, end))


def _children(der: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Give (tag, start, end) of the values that lie in a constructed one."""
    while at < end:
        tag, length = der[at], der[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(der[at : at + size], "big")
            at += size
        if at + length > end:
            raise IndexError("a value longer than what holds it")
        yield tag, at, at + length
        at += length


def _time(der: bytes, tag: int, start: int, end: int) -> float:
    text = der[start:end].decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if int(text[:2]) >= _CENTURY_PIVOT else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
