"""Releases fetched over HTTPS: from a server with a CA of the test's own, whole or not at all, once for all boards."""

import hashlib
import http.server
import ssl
import threading

import pytest

from kittiwake.bridge.settings import ReleasesSection
from kittiwake.release import make as releases
from kittiwake.release.keys import PrivateKey
from kittiwake.supply.shelf import Shelf, Wanted, wanted_of
from kittiwake.supply.source import RETRY_S, Source
from tests.support import certificates, release_keys
from tests.support.waiting import until

NAME = "press.kwu"
DIGEST = hashlib.sha256(b"x").hexdigest()


@pytest.fixture(scope="module")
def raw():
    order = releases.Order("1.4", 4, ["x64"])
    return releases.make(
        order, [PrivateKey(release_keys.private_key())], {"kittiwake_node/a.py": b"A = '" + bytes(100_000) + b"'\n"}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("certificates"), "127.0.0.1")


class Server(http.server.ThreadingHTTPServer):
    """HTTPS on loopback; `answers` is what is said next, the last one for ever: (status, body, headers)."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "broker.pem", folder / "broker.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.answers, self.asked = [], []
        self.url = f"https://127.0.0.1:{self.server_port}/releases/"

    def handle_error(self, request, client_address):
        """A handshake that a client breaks off is a test's."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        status, body, headers = self.server.answers.pop(0) if self.server.answers[1:] else self.server.answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(made, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(made / "ca.pem"))
    with Server(made) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_release_that_the_folder_lacks_is_fetched_once_and_found(server, raw, tmp_path):
    server.answers = [(200, raw, {})]
    shelf = Shelf(str(tmp_path), server.url)
    wanted = Wanted(NAME, hashlib.sha256(raw).hexdigest())
    assert shelf.find(wanted) is None
    for _ in range(20):
        assert shelf.ask(wanted) == (True, "")
    until(lambda: shelf.find(wanted) is not None, lambda: shelf.ask(wanted))
    assert shelf.find(wanted).head.version == "1.4"
    assert server.asked == [f"/releases/{NAME}"]
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_release_in_the_folder_that_is_another_file_is_not_the_one_that_is_wanted(raw, tmp_path):
    (tmp_path / NAME).write_bytes(raw)
    shelf = Shelf(str(tmp_path))
    assert shelf.find(Wanted(NAME)) is not None
    assert shelf.find(Wanted(NAME, hashlib.sha256(raw).hexdigest())) is not None
    other = Wanted(NAME, DIGEST)
    assert shelf.find(other) is None
    assert shelf.ask(other) == (False, f"{NAME} is not in the folder of releases, or is another")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b"not it", {}), "6 bytes, which are not those of its sha256"),
        ((404, b"", {}), "Not Found"),
        ((302, b"", {"Location": "https://127.0.0.1:1/elsewhere"}), "Found"),
        ((200, b"cut", {"Content-Length": "9000"}), "not those of its sha256"),
    ],
)
def test_release_that_cannot_be_fetched_says_why_leaves_nothing_and_is_asked_for_again(
    server, raw, tmp_path, answer, says
):
    now = [0.0]
    server.answers = [answer, (200, raw, {})]
    source = Source(server.url, tmp_path, lambda: now[0])
    digest = hashlib.sha256(raw).hexdigest()
    assert source.ask(NAME, digest) == ""
    until(lambda: source.ask(NAME, digest), "a reason")
    assert says in source.ask(NAME, digest)
    assert not list(tmp_path.iterdir())
    assert len(server.asked) == 1
    now[0] += RETRY_S
    assert source.ask(NAME, digest) == ""
    until((tmp_path / NAME).exists, lambda: source.ask(NAME, digest))
    assert (tmp_path / NAME).read_bytes() == raw


def test_release_from_a_server_that_nobody_vouches_for_is_not_fetched(server, raw, tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    server.answers = [(200, raw, {})]
    source = Source(server.url, tmp_path)
    source.ask(NAME, hashlib.sha256(raw).hexdigest())
    until(lambda: "certificate verify failed" in source.ask(NAME, DIGEST), lambda: source.ask(NAME, DIGEST))
    assert not server.asked and not list(tmp_path.iterdir())


def test_release_that_is_named_without_its_hash_is_not_fetched(server, tmp_path):
    comes, why = Shelf(str(tmp_path), server.url).ask(Wanted(NAME))
    assert not comes and "sha256" in why
    assert not server.asked


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"", Wanted("")),
        (b'{"file": "a.kwu"}', Wanted("a.kwu")),
        (f'{{"file": "a.kwu", "sha256": "{DIGEST}"}}'.encode(), Wanted("a.kwu", DIGEST)),
        (b'{"file": "a.kwu", "sha256": "AA"}', None),
        (b'{"file": "a.kwu", "sha256": 7}', None),
        (b'{"file": "../a.kwu"}', None),
        (b"[]", None),
    ],
)
def test_what_a_device_is_to_have_is_read(payload, wanted):
    assert wanted_of(payload) == wanted


@pytest.mark.parametrize("url", ["http://a/b/", "https://a/b", "ftp://a/", "https:///", "x"])
def test_source_that_is_none_is_refused(url):
    with pytest.raises(ValueError):
        ReleasesSection(folder="/tmp", url=url)


def test_source_without_a_folder_is_refused():
    with pytest.raises(ValueError, match="folder"):
        ReleasesSection(url="https://a/b/")
