"""Who may do what at a window with users: log-in, sessions, roles, requests of other sites, and the audit."""

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_USAGE
from kittiwake.window.acting import BODY_LIMIT_BYTES
from kittiwake.window.users import Users
from tests.support.free_ports import free_port
from tests.window.plant import Window

pytestmark = pytest.mark.timeout(120)

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    command = [sys.executable, "-m", "kittiwake", "window", "user", "add", "ann", "--role", "operator"]
    subprocess.run([*command, "--users", str(folder / "users")], input=PASSWORD, text=True, check=True)
    for name in ("bob", "cat"):
        Users(folder / "users").add(name, PASSWORD, "viewer")
    broker = f"mqtt://127.0.0.1:{free_port()}"  # nobody listens there
    with Window(broker, folder, "--users", str(folder / "users")) as opened:
        yield opened


class Browser:
    """What a browser sends: its cookie, and where a request comes from."""

    def __init__(self, window):
        self.port = int(window.url.rstrip("/").rpartition(":")[2])
        self.cookie = self.proof = ""

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        sent = {"Cookie": self.cookie} if self.cookie else {}
        if method == "POST":
            sent |= {
                "Content-Type": "application/json",
                "X-Kittiwake-Proof": self.proof,
                "Sec-Fetch-Site": "same-origin",
            }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = body if isinstance(body, bytes | None) else json.dumps(body)
        connection.request(method, path, payload, sent)
        answer = connection.getresponse()
        text = answer.read()
        self.set_cookie = answer.getheader("set-cookie") or ""
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def log_in(self, name, password=PASSWORD):
        status, _ = self.ask("POST", "/api/log-in", {"name": name, "password": password})
        if status == 200:
            self.cookie = self.set_cookie.partition(";")[0]
            self.proof = self.ask("GET", "/api/me")[1]["proof"]
        return status


@pytest.fixture
def nobody(window):
    return Browser(window)


@pytest.fixture(scope="module")
def ann(window):
    browser = Browser(window)
    assert browser.log_in("ann") == 200
    return browser


@pytest.fixture(scope="module")
def bob(window):
    browser = Browser(window)
    assert browser.log_in("bob") == 200
    return browser


KEY = {"device": "a", "journal": "ab" * 8, "seq": 1}


def acknowledge(browser, **headers):
    return browser.ask("POST", "/api/acknowledge", {"alerts": [KEY], "word": "seen"}, **headers)[0]


@pytest.mark.parametrize(
    "path", ["live", "series", "alerts", "alerts.csv", "snapshots", "readings", "journal", "audit", "rollout", "schema"]
)
def test_nobody_sees_anything_but_the_form(nobody, path):
    assert nobody.ask("GET", f"/api/{path}")[0] == 401
    assert nobody.ask("GET", "/")[0] == 200
    assert nobody.ask("GET", "/api/me")[1] == {"who": None, "role": None, "proof": None, "has_users": True}


def test_session_is_in_a_cookie_that_no_script_and_no_other_site_gets(nobody):
    assert nobody.ask("POST", "/api/log-in", {"name": "ann", "password": PASSWORD})[0] == 200
    flags = {part.strip().lower() for part in nobody.set_cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags


def test_session_that_was_planted_before_the_log_in_is_worth_nothing(nobody):
    nobody.cookie = "kittiwake=planted"
    assert nobody.log_in("ann") == 200
    assert nobody.cookie != "kittiwake=planted"
    nobody.cookie = "kittiwake=planted"
    assert nobody.ask("GET", "/api/me")[1]["who"] is None


def test_log_out_ends_the_session_and_not_only_the_cookie(nobody):
    assert nobody.log_in("ann") == 200
    assert nobody.ask("GET", "/api/me")[1]["who"] == "ann"
    assert nobody.ask("POST", "/api/log-out", {})[0] == 200
    assert nobody.ask("GET", "/api/me")[1]["who"] is None


def test_operator_acts_and_viewer_looks(ann, bob):
    assert acknowledge(ann) == 200
    assert acknowledge(bob) == 403
    assert bob.ask("POST", "/api/command", {"device": "a", "op": "identify"})[0] == 403
    assert bob.ask("GET", "/api/audit")[0] == 200


def test_request_of_another_site_is_refused_though_the_browser_sends_the_cookie(ann):
    assert acknowledge(ann, Sec_Fetch_Site="cross-site") == 403
    assert acknowledge(ann, Origin="http://evil.example") == 403
    assert acknowledge(ann, Content_Type="text/plain") == 403
    assert acknowledge(ann, X_Kittiwake_Proof="x") == acknowledge(ann, X_Kittiwake_Proof="") == 403


def test_request_by_a_link_changes_nothing(ann):
    assert ann.ask("GET", "/api/acknowledge")[0] == 405
    assert ann.ask("GET", "/api/command")[0] == 405


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 9000, b'{"alerts":[]}', b'{"alerts":[{"device":1}]}', b'{"alerts":{"a":1}}']
)
def test_body_that_is_nothing_is_refused(ann, body):
    assert ann.ask("POST", "/api/acknowledge", body)[0] == 400


def test_upload_that_is_huge_is_refused_before_it_is_read(ann):
    connection = http.client.HTTPConnection("127.0.0.1", ann.port, timeout=15)
    connection.putrequest("POST", "/api/acknowledge")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Cookie", ann.cookie)
    connection.putheader("X-Kittiwake-Proof", ann.proof)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    connection.send(b"x" * (BODY_LIMIT_BYTES + 1))
    answer = connection.getresponse()
    assert answer.status == 400 and b"more than" in answer.read()


def test_audit_says_who_did_what(ann):
    assert acknowledge(ann) == 200
    status, answer = ann.ask("POST", "/api/command", {"device": "a", "op": "identify"})
    assert status == 503 and "broker is away" in answer["problem"]
    lines = ann.ask("GET", "/api/audit")[1]["lines"]
    done = [(line["who"], line["what"], line["subject"]) for line in lines]
    assert ("ann", "command identify", "a") in done and ("ann", "acknowledge", "a") in done
    assert ("ann", "log-in", "ann") in done
    assert PASSWORD not in json.dumps(lines)


def test_recording_is_an_operators_and_bounded(ann, bob):
    body = {"name": "a.csv", "content": base64.b64encode(b"raw\n1\n").decode()}
    assert bob.ask("POST", "/api/recording", body)[0] == 403
    for wrong in ({"content": "%"}, {"content": ""}, {"rate_hz": -1}, {"rate_hz": True}, {"name": "a" * 256}):
        assert ann.ask("POST", "/api/recording", body | wrong)[0] == 400


def test_no_text_of_a_request_leads_the_server_to_another_host(ann):
    with socket.create_server(("127.0.0.1", 0)) as asked:
        url = f"http://127.0.0.1:{asked.getsockname()[1]}/"
        fields = ("device", "tags", "word", "op", "order", "release", "name", "column", "config", "base", "text")
        for path in ("acknowledge", "arrange", "command", "order", "recording"):
            more = {"alerts": [KEY | {"device": url}], "id": 1, "content": base64.b64encode(url.encode()).decode()}
            assert ann.ask("POST", f"/api/{path}", dict.fromkeys(fields, url) | more)[0] in (200, 400, 503)
        for path in ("series", "alerts", "snapshots", "readings", "journal"):
            ann.ask("GET", f"/api/{path}?device={url}&channel={url}&journal={url}&since=0&until=1&at=0")
        asked.setblocking(False)
        with pytest.raises(BlockingIOError):
            asked.accept()


@pytest.mark.parametrize("device", ["", "a/b", "+", "#", "a\0"])
def test_command_to_what_is_no_device_is_refused(ann, device):
    assert ann.ask("POST", "/api/command", {"device": device, "op": "identify"})[0] == 400


def test_window_behind_a_proxy_takes_its_word_for_who_it_is_and_the_role_from_the_file(window, tmp_path):
    users = tmp_path / "users"
    users.write_bytes((window._log.parent / "users").read_bytes())
    options = ["--users", str(users), "--user-header", "X-Forwarded-User"]
    with Window("mqtt://127.0.0.1:9", tmp_path, *options) as other:
        browser = Browser(other)
        ann, bob, eve = ({"X_Forwarded_User": name} for name in ("ann", "bob", "eve"))
        me = browser.ask("GET", "/api/me", **ann)[1]
        assert (me["who"], me["role"]) == ("ann", "operator")
        browser.proof = me["proof"]
        assert acknowledge(browser, **ann) == 200
        assert acknowledge(browser, **bob) == acknowledge(browser, Sec_Fetch_Site="cross-site", **ann) == 403
        browser.proof = browser.ask("GET", "/api/me", **bob)[1]["proof"]
        assert (
            acknowledge(browser, **bob) == 403 and acknowledge(browser, **ann) == 403
        )  # each has a proof of their own
        for headers in ({}, eve):
            assert browser.ask("GET", "/api/audit", **headers)[0] == 401
        assert browser.ask("POST", "/api/log-in", {"name": "ann", "password": PASSWORD})[0] == 403
        assert [line["who"] for line in browser.ask("GET", "/api/audit", **ann)[1]["lines"]] == ["ann"]
        Users(users).remove("ann")
        assert browser.ask("GET", "/api/audit", **ann)[0] == 401
        users.unlink()
        assert browser.ask("GET", "/api/audit", **bob)[0] == 401


@pytest.mark.parametrize("options", [[], ["--listen", "0.0.0.0:0"]])
def test_window_that_anybody_could_send_the_proxys_header_is_refused(capsys, certs, window, options):
    people = ["--users", str(window._log.parent / "users")] if options else []
    tls = ["--certificate", str(certs / "broker.pem"), "--key", str(certs / "broker.key")]
    assert app.run(["window", "--user-header", "X-Forwarded-User", *people, *tls, *options]) == EXIT_USAGE
    assert "let the proxy come to 127.0.0.1" in capsys.readouterr().err


def test_window_off_loopback_with_users_and_without_tls_is_refused(capsys, window, tmp_path):
    users = str(window._log.parent / "users")
    assert app.run(["window", "--listen", "0.0.0.0:0", "--users", users]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert "there is no TLS" in told and "no users" not in told


def test_window_off_loopback_with_users_and_tls_serves_over_tls(window, certs, tmp_path):
    users = str(window._log.parent / "users")
    options = ["--users", users, "--certificate", str(certs / "broker.pem"), "--key", str(certs / "broker.key")]
    other = Window("mqtt://127.0.0.1:9", tmp_path, *options, "--listen", "0.0.0.0:0", "--host", "localhost")
    with other:
        port = int(other.url.rstrip("/").rpartition(":")[2])
        assert other.url.startswith("https://0.0.0.0:")
        connection = http.client.HTTPSConnection(
            "localhost", port, context=ssl.create_default_context(cafile=certs / "ca.pem")
        )
        body = json.dumps({"name": "ann", "password": PASSWORD})
        connection.request("POST", "/api/log-in", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200 and "max-age" in answer.getheader("strict-transport-security")
        cookie = answer.getheader("set-cookie")
        assert cookie.startswith("__Host-kittiwake=") and "secure" in cookie.lower()


def test_passwords_can_be_tried_a_few_times_only(nobody):
    """The last of this file: for a minute nobody logs in from here any more."""
    statuses = [nobody.log_in("cat", f"wrong password {number}") for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert nobody.log_in("cat") == 429
