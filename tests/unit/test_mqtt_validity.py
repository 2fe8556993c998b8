"""Dates of certificates and revocation lists: as openssl reads them, and never more than a ValueError from damage."""

import base64

import pytest

from kittiwake.mqtt import validity
from tests.support import certificates

# By hand, from RFC 5280: a certificate with nothing but serial number, empty algorithm and issuer, and its dates.
VERSION, SERIAL, NOTHING = "a003020102", "020101", "3000"
UTC_1999, UTC_2049 = "170d3939303130313030303030305a", "170d3439313233313233353935395a"
GENERALIZED_2050 = "180f32303530303130313030303030305a"


def block(kind, hexadecimal):
    text = base64.b64encode(bytes.fromhex(hexadecimal)).decode()
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n".encode()


def sequence(*values):
    content = "".join(values)
    return f"30{len(content) // 2:02x}{content}"


def certificate(*dates, version=VERSION):
    return sequence(sequence(version, SERIAL, NOTHING, NOTHING, sequence(*dates)))


@pytest.mark.parametrize(
    ("kind", "value", "ends"),
    [
        ("CERTIFICATE", certificate(UTC_1999, UTC_2049), [2524607999.0]),
        ("CERTIFICATE", certificate(UTC_1999, GENERALIZED_2050), [2524608000.0]),
        ("CERTIFICATE", certificate(UTC_1999, UTC_1999, version=""), [915148800.0]),
        ("X509 CRL", sequence(sequence("020101", NOTHING, NOTHING, UTC_1999, UTC_2049)), [2524607999.0]),
        ("X509 CRL", sequence(sequence(NOTHING, NOTHING, UTC_1999, GENERALIZED_2050)), [2524608000.0]),
        ("X509 CRL", sequence(sequence(NOTHING, NOTHING, UTC_1999)), []),
        ("X509 CRL", sequence(sequence(NOTHING, NOTHING, UTC_1999, NOTHING)), []),
        ("PRIVATE KEY", certificate(UTC_1999, UTC_2049), []),
    ],
)
def test_validity_of_bytes_by_hand(kind, value, ends):
    assert validity.ends(block(kind, value)) == ends
    assert validity.ends(b"text\n" + block(kind, value) + b"more\n" + block(kind, value)) == ends * 2


def test_validity_of_every_damaged_certificate_is_an_error_or_a_time(certs):
    head, body = (certs / "broker.pem").read_text().split("-----\n", 1)
    der = base64.b64decode(body.partition("-----END")[0])
    damaged = [der[:length] for length in range(len(der))]
    damaged += [der[:at] + bytes([der[at] ^ 1 << bit]) + der[at + 1 :] for at in range(200) for bit in range(8)]
    outcomes = set()
    for piece in damaged:
        try:
            outcomes.add(len(validity.ends(block("CERTIFICATE", piece.hex()))))
        except ValueError:
            outcomes.add(ValueError)
    assert outcomes == {1, ValueError}


def test_validity_of_a_real_certificate_and_list_is_what_openssl_says(certs, tmp_path):
    for name in ("ca", "broker", "expired", "stranger"):
        path = certs / f"{name}.pem"
        assert validity.ends(path.read_bytes()) == [certificates.end_of(path)[0]]
    folder = certificates.make(tmp_path)
    path = certificates.revoke(folder, "broker")
    assert validity.ends(path.read_bytes()) == [certificates.end_of(path, "crl")[0]]
    assert validity.date(certificates.end_of(path, "crl")[0]) == certificates.end_of(path, "crl")[1]
