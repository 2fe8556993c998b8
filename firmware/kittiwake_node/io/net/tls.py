"""TLS: a client's context from certificate files, PEM or DER. Knows files and `ssl`, not what is sent."""

import binascii
import ssl


def make_context(ca_file, certificate_file="", key_file=""):
    """A context that trusts one authority's file and nobody else.

    Args:
        ca_file: certificates of authorities, PEM (one or more) or DER.
        certificate_file: of ours, for mutual TLS; "" for none.
        key_file: of ours, not encrypted; "" for none.

    Raises:
        OSError: a file is not there.
        ValueError: it is not of that form.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    for certificate in read_der(ca_file):
        context.load_verify_locations(cadata=certificate)
    if certificate_file:
        context.load_cert_chain(read_der(certificate_file)[0], read_der(key_file)[0])
    return context


def read_der(path):
    """What a PEM or DER file holds, as a list of DER. Not every port's TLS reads PEM, so it is undone here.

    Raises:
        OSError: it is not there.
        ValueError: it is PEM and holds nothing whole.
    """
    with open(path, "rb") as file:
        data = file.read()
    if b"-----BEGIN " not in data:
        return [data]
    blocks = []
    for piece in data.split(b"-----BEGIN ")[1:]:
        head, _, rest = piece.partition(b"-----")
        body, end, _ = rest.partition(b"-----END ")
        if end and not head.endswith(b"PARAMETERS"):  # of a curve, which some tools write before the key
            blocks.append(binascii.a2b_base64(body))
    if not blocks:
        raise ValueError("%s: no whole PEM block" % path)
    return blocks
