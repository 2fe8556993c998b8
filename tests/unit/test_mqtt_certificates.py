"""Certificates past, revoked or for nobody: each is refused in words of its own. Files that change are taken."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import threading

import pytest

from kittiwake.errors import ConfigError
from kittiwake.mqtt import problems
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.socket_buffer import SocketBuffer
from tests.mosquitto import Mosquitto
from tests.support import certificates
from tests.support.mqtt import connected
from tests.support.waiting import until_async

needs_mosquitto = pytest.mark.needs("mosquitto")
RSA_ALONE = "ECDHE-RSA-AES128-GCM-SHA256"  # of no use with the broker's key, which is of a curve
SERVER, CLIENT = "extendedKeyUsage=serverAuth", "extendedKeyUsage=clientAuth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = certificates.make(tmp_path_factory.mktemp("certificates"))
    certificates.sign(made, "past", CLIENT, days=-1)
    certificates.sign(made, "cn-only", SERVER, common_name="localhost")
    certificates.sign(made, "elsewhere", f"subjectAltName=DNS:broker.example\n{SERVER}", common_name="localhost")
    certificates.revoke(made, "broker", "gateway")
    certificates.revoke(made, "operator", file="other.pem")
    certificates.revoke(made, file="old.pem", until="20200201000000Z")
    certificates.revoke(made, file="foreign.pem", ca="other-ca")
    return made


def own(folder, name="gateway"):
    return {
        "ca_file": f"{folder}/ca.pem",
        "certificate_file": f"{folder}/{name}.pem",
        "key_file": f"{folder}/{name}.key",
    }


def outcome_of(url, **settings):
    """The problem of the first connection; "connected" when there is none."""

    async def run():
        async with connected(url, wait=False, **settings) as client:
            await until_async(lambda: client.problem or client.is_connected)
            return client.problem or "connected"

    return asyncio.run(run())


@needs_mosquitto
@pytest.mark.parametrize(
    ("broker", "client", "more", "says"),
    [
        ("expired", "gateway", {}, "the broker's certificate expired on {expired}; renew it on the broker"),
        ("broker", "past", {}, "our certificate expired on {past}; renew {folder}/past.pem"),
        ("cn-only", "gateway", {}, "names no host in its SAN, and a CN alone does not count; make it with subject"),
        ("elsewhere", "gateway", {}, "is not for localhost but for broker.example; use that in broker.url"),
        ("broker", "gateway", {"crl_file": "crl.pem"}, "the broker's certificate is revoked by {folder}/crl.pem"),
        ("broker", "gateway", {"crl_file": "other.pem"}, "connected"),
        ("broker", "gateway", {"crl_file": "old.pem"}, "the revocation list {folder}/old.pem expired on 2020-02-01"),
        ("broker", "gateway", {"crl_file": "foreign.pem"}, "{folder}/foreign.pem has no list of the CA that signed"),
    ],
    ids=["broker's past", "ours past", "CN only", "elsewhere", "revoked", "another revoked", "old list", "no list"],
)
def test_mqtt_client_with_a_certificate_that_will_not_do_says_why_and_since_when(
    tmp_path, folder, broker, client, more, says
):
    dates = {name: certificates.end_of(folder / f"{name}.pem")[1] for name in ("expired", "past")}
    settings = own(folder, client) | {name: f"{folder}/{file}" for name, file in more.items()}
    with Mosquitto(tmp_path, whole=certificates.example(folder, tmp_path, broker)) as server:
        outcome = outcome_of(f"mqtts://localhost:{server.port}", **settings)
    assert says.format(folder=folder, **dates) in outcome and "\n" not in outcome


@needs_mosquitto
def test_mqtt_client_whose_certificate_the_broker_has_revoked_says_so(tmp_path, folder):
    conf = certificates.example(folder, tmp_path) + f"\ncrlfile {folder}/crl.pem\n"
    with Mosquitto(tmp_path, whole=conf) as server:
        outcome = outcome_of(f"mqtts://localhost:{server.port}", **own(folder))
    assert "the broker says that our certificate is revoked; get another for" in outcome


@contextlib.contextmanager
def tls_server(folder, **limits):
    """A TLS server that wants a client certificate and closes; `limits` are set on its context, or called."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "broker.pem", folder / "broker.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    for name, value in limits.items():
        if name == "ciphers":
            context.set_ciphers(value)
        else:
            setattr(context, name, value)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _ = server.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as tls_sock:
                        tls_sock.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("client", "limits", "says"),
    [
        ("gateway", {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": RSA_ALONE}, "no common cipher"),
        (None, {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": RSA_ALONE}, "no common cipher"),
        (None, {"maximum_version": ssl.TLSVersion.TLSv1_2}, "wants a client certificate"),
        (None, {}, "wants a client certificate"),
    ],
    ids=["no common cipher", "nor a certificate", "TLS 1.2", "TLS 1.3"],
)
def test_mqtt_client_without_a_common_cipher_is_told_apart_from_one_without_a_certificate(folder, client, limits, says):
    settings = own(folder, client) if client else {"ca_file": f"{folder}/ca.pem"}
    with tls_server(folder, **limits) as port:
        outcome = outcome_of(f"mqtts://localhost:{port}", **settings)
    assert says in outcome


@needs_mosquitto
def test_mqtt_client_with_a_broker_of_tls_1_3_and_no_common_cipher_says_so(tmp_path, folder):
    conf = certificates.example(folder, tmp_path)
    limited = "tls_version tlsv1.3\nciphers_tls1.3 TLS_AES_128_CCM_8_SHA256"
    with Mosquitto(tmp_path, whole=conf.replace("tls_version tlsv1.2", limited)) as server:
        outcome = outcome_of(f"mqtts://localhost:{server.port}", **own(folder))
    assert "no common cipher; check what the broker is told to use" in outcome


class Files:
    """A gateway's files, installed from a folder of certificates."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder
        self.install("ca.pem", "ca.pem")
        self.install("gateway.pem", "gateway.pem")
        self.install("gateway.key", "gateway.key")
        self.broker = BrokerSection(url="mqtts://localhost", **own(folder))

    def install(self, name, source):
        """As renewing programs do: the new file beside, then in its place."""
        beside = self.folder / "beside"
        shutil.copyfile(self.source / source, beside)
        beside.rename(self.folder / name)


@pytest.fixture
def files(folder, tmp_path):
    return Files(folder, tmp_path)


def test_credentials_that_changed_are_taken_and_the_removed_authority_is_trusted_no_longer(files):
    credentials = Credentials(files.broker)
    assert len(credentials.context.get_ca_certs()) == 1
    first = credentials.context
    credentials.look()
    assert credentials.context is first
    files.install("ca.pem", "other-ca.pem")
    credentials.look()
    (authority,) = credentials.context.get_ca_certs()
    assert "Some other CA" in str(authority["subject"])


def test_credentials_half_renewed_stay_until_the_other_half_is_there(files):
    credentials = Credentials(files.broker)
    first, ends = credentials.context, credentials.ends
    files.install("gateway.pem", "operator.pem")
    credentials.look()
    assert "certificate_file, key_file" in credentials.problem
    assert (credentials.context, credentials.ends) == (first, ends)
    files.install("gateway.key", "operator.key")
    credentials.look()
    assert credentials.problem == "" and credentials.context is not first


@pytest.mark.parametrize("name", ["ca.pem", "gateway.pem", "gateway.key"])
def test_credentials_without_a_file_stay_and_say_which_is_missing(files, name):
    credentials = Credentials(files.broker)
    first = credentials.context
    (files.folder / name).unlink()
    credentials.look()
    assert credentials.context is first and name in credentials.problem


def test_credentials_tell_when_each_ends_as_openssl_does(files, folder):
    broker = files.broker.model_copy(update={"crl_file": str(folder / "old.pem")})
    with open(files.folder / "ca.pem", "a") as file:
        file.write((folder / "other-ca.pem").read_text())
    credentials = Credentials(broker)
    assert credentials.ends == {
        "client": certificates.end_of(folder / "gateway.pem")[0],
        "ca": min(certificates.end_of(folder / f"{name}.pem")[0] for name in ("ca", "other-ca")),
        "crl": certificates.end_of(folder / "old.pem", "crl")[0],
    }
    assert 824 < credentials.days_left()["client"] < 826 and credentials.days_left()["crl"] < 0


def test_credentials_with_a_password_that_changed_use_the_new_one(tmp_path):
    (tmp_path / "secret").write_text("old\n")
    credentials = Credentials(BrokerSection(username="me", password_file=f"{tmp_path}/secret"))
    (tmp_path / "secret").write_text("newer\n")
    credentials.look()
    assert credentials.password == "newer"


@pytest.mark.parametrize(
    ("content", "says"),
    [("ca.pem", "it holds none"), ("other-ca.pem crl.pem", "it holds certificates"), ("ca.key", "broker.crl_file")],
)
def test_credentials_with_a_list_that_is_none_or_more_are_refused(files, folder, content, says):
    path = files.folder / "list.pem"
    path.write_text("".join((folder / name).read_text() for name in content.split()))
    with pytest.raises(ConfigError, match="broker.crl_file") as refusal:
        Credentials(files.broker.model_copy(update={"crl_file": str(path)}))
    assert says in str(refusal.value)


def test_settings_with_a_revocation_list_and_no_tls_are_refused():
    with pytest.raises(ValueError, match="is not encrypted"):
        BrokerSection(url="mqtt://h", crl_file="x")


class GoneSocket:
    """A TLS socket whose other end has gone; `last` is what reading raises or gives, again and again."""

    def __init__(self, last):
        self.last = last

    def send(self, data):
        raise BrokenPipeError(32, "Broken pipe")

    def recv(self, size):
        if isinstance(self.last, Exception):
            raise self.last
        return self.last

    def fileno(self):
        return -1


ALERT = ssl.SSLError(1, "[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert certificate revoked (_ssl.c:2580)")


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (ALERT, ALERT),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), None),
        (ssl.SSLWantReadError(), None),
        (BlockingIOError(), None),
        (ConnectionResetError(), None),
        (b"", None),
        (b"more and more", None),
    ],
    ids=["alert", "end in TLS", "TLS wants more", "nothing", "reset", "end", "endless"],
)
def test_socket_whose_other_end_went_tells_the_alert_that_it_left_unread(last, told):
    # Regression: one connection in sixty told of an end of file where the broker had said that it was revoked.
    buffer = SocketBuffer(GoneSocket(last))
    buffer.send(b"CONNECT")
    buffer.flush()
    assert buffer.error is told or (told is None and isinstance(buffer.error, BrokenPipeError))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "perhaps it refuses our certificate"),
        (ConnectionResetError(), "perhaps it refuses our certificate"),
    ],
    ids=["end in TLS", "reset"],
)
@pytest.mark.parametrize("name", ["gateway", "past"])
def test_connection_that_was_cut_is_explained_by_our_certificate_s_end_where_that_is_past(folder, error, says, name):
    credentials = Credentials(BrokerSection(url="mqtts://localhost", **own(folder, name)))
    said = problems.explain_error(error, parse_url("mqtts://localhost"), credentials, {})
    ended = f"our certificate expired on {certificates.end_of(folder / 'past.pem')[1]}; renew {folder}/past.pem"
    assert (ended if name == "past" else says) in said
    closed = problems.explain_end(parse_url("mqtts://localhost"), credentials, "the broker closed the connection")
    assert closed.endswith(f"closed the connection; {ended}" if name == "past" else "closed the connection")
