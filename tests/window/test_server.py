"""The window's server against those who mean it harm: a request each, over real sockets, without a browser."""

import contextlib
import http.client
import re
import socket
import time
from pathlib import Path

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_USAGE
from kittiwake.window import web
from kittiwake.window.patience import PATIENCE_S
from tests.support.free_ports import free_port
from tests.support.waiting import until
from tests.window.plant import Window

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    # Its broker is away: the pages are there all the same.
    metrics = free_port()
    folder = tmp_path_factory.mktemp("window")
    with Window(f"mqtt://127.0.0.1:{free_port()}", folder, "--metrics", f"127.0.0.1:{metrics}") as opened:
        opened.metrics, opened.folder = metrics, folder
        yield opened


@pytest.fixture(scope="module", autouse=True)
def slow(window):
    """A connection that begins a request and never ends it, open while the other tests run."""
    with socket.create_connection(("127.0.0.1", int(window.url.rstrip("/").rpartition(":")[2])), 15) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        yield opened, time.monotonic()


@pytest.fixture
def port(window):
    return int(window.url.rstrip("/").rpartition(":")[2])


def ask(port, path, method="GET", body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_pages_carry_a_policy_without_inline_script_or_other_hosts(port):
    status, headers, body = ask(port, "/")
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert status == 200
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'" and "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert b"<script>" not in body and b"style=" not in body and not re.search(rb"\son\w+=", body)
    assert not re.search(rb"https?://", body)


def test_modules_of_the_page_make_no_element_from_text():
    sources = {path.name: path.read_text() for path in web.PAGE.glob("*.js")}
    assert len(sources) > 5
    used = {
        name
        for name, text in sources.items()
        if re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(|\.write\(", text)
    }
    assert used == set()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", ""])
def test_another_host_name_that_leads_here_is_not_answered(port, host):
    assert ask(port, "/", Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:80"])
def test_names_of_this_machine_are_answered(port, host):
    assert ask(port, "/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "path", ["/page/../web.py", "/page/..%2fweb.py", "/page/%2e%2e/web.py", "/page//etc/passwd", "/../../etc/passwd"]
)
def test_path_out_of_the_page_is_not_there(port, path):
    status, _, body = ask(port, path)
    assert status == 404 and b"import" not in body and b"root" not in body


def test_file_that_the_browser_has_is_not_sent_again(port):
    status, headers, body = ask(port, "/page/main.js")
    assert status == 200 and headers["content-type"].startswith("text/javascript") and body
    assert ask(port, "/page/main.js", If_None_Match=headers["etag"])[0] == 304
    assert ask(port, "/page/main.js", If_None_Match='"other"')[0] == 200


def test_a_thousand_connections_do_not_keep_others_out_for_long(port):
    idle = []
    try:
        for _ in range(1000):
            idle.append(socket.create_connection(("127.0.0.1", port), 5))
    except OSError:
        pass  # it may refuse some
    assert len(idle) > 200
    for each in idle:
        each.close()
    until(lambda: ask(port, "/")[0] == 200, "an answer", 10)


def test_pages_that_do_not_leave_are_bounded(port):
    opened = []
    try:
        for _ in range(70):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/api/live")
            answer = connection.getresponse()
            opened.append(connection)
            if answer.status == 503:
                break
        assert answer.status == 503 and 60 <= len(opened) <= 65
    finally:
        for connection in opened:
            connection.close()
    until(lambda: ask_live(port) == 200, "a page is served again", 10, 0.2)


def ask_live(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/live")
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_figures_are_on_a_port_of_their_own_and_no_page_of_the_windows(port, window):
    status, headers, body = until(lambda: asked(window.metrics, "/metrics"), "the small server")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert b"kittiwake_window_broker_connected 0.0" in body
    assert asked(window.metrics, "/healthz")[0] == 503
    assert ask(port, "/metrics")[0] == ask(port, "/healthz")[0] == 404


def asked(port, path):
    try:
        return ask(port, path)
    except ConnectionRefusedError:
        return None


@pytest.mark.parametrize(
    "query",
    [
        "series?since=1&until=0", "series?since=x", "series?since=-1", "series?since=9999999999999999",
        "alerts?limit=1e9", "alerts?since=281474976710655", "journal?before=x", "journal?limit=501",
        "snapshots?at=%00", "nothing", "..",
    ],
)  # fmt: skip
def test_request_that_makes_no_sense_is_refused_without_a_word_of_the_server(port, window, query):
    status, headers, body = ask(port, f"/api/{query}")
    assert status in (400, 404) and "server" not in headers
    assert b"Traceback" not in body and b".py" not in body and str(window.folder).encode() not in body


def test_every_line_of_owasps_list_names_tests_that_there_are():
    folder = Path(__file__).parents[1]
    files = [*folder.glob("window/test_*.py"), *folder.glob("unit/test_window_*.py"), folder / "unit/test_package.py"]
    there = set(re.findall(r"^def (test_\w+)", "\n".join(file.read_text() for file in files), re.M))
    lines = (folder.parent / "docs/explanation/window-threats.md").read_text().splitlines()
    rows = {line[2:5]: re.findall(r"`(test_\w+)`", line) for line in lines if re.match(r"\| A\d\d ", line)}
    assert list(rows) == [f"A{number:02d}" for number in range(1, 11)]
    assert {name: set(tests) - there for name, tests in rows.items()} == dict.fromkeys(rows, set())
    assert all(rows.values())


def run(capsys, *arguments):
    code = app.run(["window", *arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "[::]", "plant.example"])
def test_window_off_loopback_is_refused_with_the_mend(capsys, host):
    code, told = run(capsys, "--listen", f"{host}:8800")
    assert code == EXIT_USAGE
    assert "can be reached from elsewhere" in told and "127.0.0.1" in told and told.count("\n") == 1


@pytest.mark.parametrize("listen", ["8800", "localhost:", ":8800", "localhost:http", "localhost:65536"])
def test_window_with_an_address_that_is_none_is_refused(capsys, listen):
    for option in ("--listen", "--metrics"):
        code, told = run(capsys, option, listen)
        assert code == EXIT_USAGE and "HOST:PORT" in told


def test_window_on_a_port_that_is_taken_says_so(capsys, port):
    code, told = run(capsys, "--listen", f"127.0.0.1:{port}")
    assert code == EXIT_FAILED and "--listen" in told


def test_request_that_never_ends_is_closed(slow):
    opened, began_s = slow
    with contextlib.suppress(ConnectionResetError):
        assert opened.recv(1) == b""
    assert time.monotonic() - began_s < PATIENCE_S + 4
