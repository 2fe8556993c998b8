"""What every request passes: token, size, time; and that one request's fault is no other's."""

import asyncio
import json
import logging

import pytest

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.serve.app import read_token
from kittiwake.serve.settings import ServeSection, check_exposure
from tests.serve import models
from tests.serve.asking import Asker

ROW = {"features": [1, 2, 3, 4]}
TOKEN = "0123456789abcdef-secret"


@pytest.fixture
def guarded(folder, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\nnot of it\n")
    return Asker(folder, default="anomaly_detector", token_file=str(tmp_path / "token"))


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN, "Bearer é"]
)
def test_request_with_another_token_is_refused_and_the_token_is_not_told(guarded, value, caplog):
    caplog.set_level(logging.DEBUG)
    for path in ("/predict", "/v1/models", "/v2", "/metrics", "/openapi.json", "/nothing"):
        status, headers, body = guarded.ask("GET", path, ROW, {"Authorization": value} if value else {})
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")
        assert TOKEN.encode() not in body
    assert TOKEN not in caplog.text and "is refused" in caplog.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_request_with_the_token_is_answered(guarded, scheme):
    assert guarded.json("POST", "/predict", ROW, {"Authorization": f"{scheme} {TOKEN}"})[0] == 200


@pytest.mark.parametrize("path", ["/health", "/healthz", "/v2/health/live", "/v2/health/ready"])
def test_probe_needs_no_token(guarded, path):
    assert guarded.json("GET", path)[0] == 200


def test_token_that_is_replaced_is_taken_up_and_a_file_that_is_gone_leaves_the_former(guarded, tmp_path):
    def is_taken(token):
        return guarded.json("POST", "/predict", ROW, {"Authorization": f"Bearer {token}"})[0] == 200

    (tmp_path / "token").write_text("new")
    guarded.app._renew_token()
    assert is_taken("new") and not is_taken(TOKEN)
    (tmp_path / "token").write_text("")
    guarded.app._renew_token()
    (tmp_path / "token").unlink()
    guarded.app._renew_token()
    assert is_taken("new")


def test_token_file_that_holds_none_is_refused(tmp_path):
    (tmp_path / "token").write_text("\nsecond line")
    with pytest.raises(ConfigError):
        read_token(str(tmp_path / "token"))
    with pytest.raises(KittiwakeError):
        read_token(str(tmp_path / "nothing"))


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.168.1.7:8080", "[::]:8080", "gateway.local:80", "[fd00::1]:1"])
def test_service_off_loopback_without_token_or_mutual_tls_is_refused_with_the_mend(listen):
    with pytest.raises(ConfigError) as caught:
        check_exposure(ServeSection(listen=listen))
    assert caught.value.exit_code == 2 and "token_file" in caught.value.mend
    with pytest.raises(ConfigError):
        check_exposure(ServeSection(listen=listen, certificate_file="a", key_file="b"))
    check_exposure(ServeSection(listen=listen, token_file="t"))
    check_exposure(ServeSection(listen=listen, certificate_file="a", key_file="b", client_ca_file="c"))


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "127.9.9.9:1", "localhost:8080", "[::1]:8080"])
def test_service_on_loopback_needs_neither(listen):
    check_exposure(ServeSection(listen=listen))


def test_body_beyond_the_limit_is_refused_by_its_length_and_by_its_bytes(folder):
    asker = Asker(folder, default="anomaly_detector", body_kib=1)
    assert asker.json("POST", "/predict", b"{", {"Content-Length": "1025"})[0] == 413
    assert asker.json("POST", "/predict", b"{", {"Content-Length": "9" * 5000})[0] == 413
    assert asker.json("POST", "/predict", b" " * 1025)[0] == 413
    assert asker.json("POST", "/predict", b" " * 1024)[0] == 422
    body = json.dumps(ROW).encode()
    assert asker.json("POST", "/predict", body + b" " * (1024 - len(body)))[0] == 200


def test_endless_body_is_cut_at_the_limit(folder):
    asker = Asker(folder, default="anomaly_detector", body_kib=1)
    taken = []

    def parts():
        for number in range(100):
            taken.append(number)
            yield b" " * 100

    async def work():
        feed = parts()

        async def receive():
            return {"type": "http.request", "body": next(feed), "more_body": True}

        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "root_path": ""}
        await asker.app(scope, receive, send)
        return sent

    sent = asyncio.run(work())
    assert sent[0]["status"] == 413 and (b"connection", b"close") in sent[0]["headers"]
    assert len(taken) == 11


def test_body_that_does_not_arrive_is_given_up(folder):
    asker = Asker(folder, default="anomaly_detector", timeout_s=0.05)
    status, headers, _ = asyncio.run(asker.asked("POST", "/predict", parts=[b"{"]))
    assert status == 408 and headers[b"connection"] == b"close"


def test_rows_beyond_the_limit_are_refused(folder):
    asker = Asker(folder, default="anomaly_detector", rows=2)
    path = "/v1/models/maps/predict"
    assert asker.json("POST", path, {"instances": [[0, 0, 0, 0]] * 2})[0] == 200
    status, reply = asker.json("POST", path, {"instances": [[0, 0, 0, 0]] * 3})
    assert (status, reply["detail"]) == (413, "there are 3 rows; at most 2 are taken")


def test_inference_that_takes_too_long_is_stopped_and_more_than_may_wait_are_turned_away(tmp_path):
    models.put(tmp_path / "slow.onnx", models.slow())
    asker = Asker(tmp_path, threads=1, queue=1, timeout_s=0.05)
    asker.app.store.models["slow"].row_ms = float("inf")

    async def work():
        replies = await asyncio.gather(*(asker.asked("POST", "/predict", ROW) for _ in range(4)))
        # Each has its thread until the library has stopped it.
        for _ in range(200):
            if not asker.app._runner.waiting:
                break
            await asyncio.sleep(0.02)
        return sorted(status for status, _, _ in replies), asker.app._runner.waiting

    assert asyncio.run(work()) == ([503, 503, 504, 504], 0)


def test_fault_of_the_service_is_logged_and_tells_the_client_nothing(asker, caplog, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("a password")

    monkeypatch.setattr(asker.app.store.models["anomaly_detector"], "verdicts", broken)
    assert asker.json("POST", "/predict", ROW) == (500, {"detail": "internal error"})
    assert "this is a bug" in caplog.text
    assert asker.json("GET", "/health")[0] == 200
