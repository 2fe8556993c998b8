"""The service as a process: replaced models under load, a worker that is killed, other people's clients."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

from tests.serve import models
from tests.serve.running import Service, ask_for_ever, running

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
REPLACED = 100 if SOAK else 20
ROW = {"features": [1, 2, 3, 4]}


def test_model_replaced_under_load_loses_no_request_and_mixes_no_answer(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    # Version k gives k/1024 in both columns of its output: a float of either kind has it exactly.
    models.put(folder / "one.onnx", models.constant(0.0))
    replies, versions = [], {}
    with running(folder, tmp_path / "log", environment={"KITTIWAKE_SERVE__SCAN_S": "0.02"}) as service:

        async def work():
            over = asyncio.Event()
            path = "/v2/models/one/infer"
            body = {"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
            askers = [
                asyncio.create_task(ask_for_ever(service.port, path, body, replies, over.is_set)) for _ in range(4)
            ]
            for number in range(REPLACED + 1):
                models.put(folder / "one.onnx", models.constant(number / 1024))
                # Until an answer is of it: every one of them is seen.
                end = time.monotonic() + 10
                while not (replies and replies[-1][0] == 200 and _value(replies[-1][1]) == number / 1024):
                    assert time.monotonic() < end
                    await asyncio.sleep(0.01)
            over.set()
            await asyncio.gather(*askers)

        asyncio.run(work())
    assert {status for status, _, _ in replies} == {200}
    for _, text, _ in replies:
        reply = json.loads(text)
        first, second = reply["outputs"][0]["data"]
        assert first == second
        assert versions.setdefault(reply["model_version"], first) == first
    assert len(versions) == len(set(versions.values())) == REPLACED + 1


def _value(text):
    return json.loads(text)["outputs"][0]["data"][0]


def test_worker_killed_under_load_is_back_within_a_second_and_requests_fail_cleanly(folder, tmp_path):
    replies, kills = [], []
    with running(folder, tmp_path / "log", "--default", "anomaly_detector") as service:
        assert service.get("/predict", ROW)[0] == 200

        async def work():
            over = asyncio.Event()
            askers = [
                asyncio.create_task(ask_for_ever(service.port, "/predict", ROW, replies, over.is_set)) for _ in range(4)
            ]
            await asyncio.sleep(0.5)
            kills.append(time.monotonic())
            os.kill(service.worker(), signal.SIGKILL)
            end = kills[0] + 20
            while not any(at > kills[0] + 0.05 and status == 200 for status, _, at in replies):
                assert time.monotonic() < end
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            over.set()
            await asyncio.gather(*askers)

        asyncio.run(work())
        assert service.stop() == 0
    assert {status for status, _, _ in replies} == {200, None}  # answered, or the connection broke
    assert all(
        set(json.loads(text)) == {"anomaly", "confidence", "latency_ms"} for status, text, _ in replies if status
    )
    back_s = min(at for status, _, at in replies if status == 200 and at > kills[0] + 0.05) - kills[0]
    assert back_s < 1.0
    assert "the worker died (signal 9)" in (tmp_path / "log").read_text()


def test_worker_leaves_when_its_supervisor_is_killed(folder, tmp_path):
    service = Service(folder, tmp_path / "log")
    assert service.get("/v2/health/live")[0] == 200
    pid = service.worker()
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}")


# The service as its command starts it, told to end between the fork and the child's first step.
ENDED_AT_THE_FORK = """
import os, signal, sys, time
from kittiwake.serve import process
fork = os.fork
def slow_fork():
    pid = fork()
    if pid == 0:
        time.sleep(0.5)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
    return pid
os.fork = slow_fork
from kittiwake.serve.settings import ServeSection, Settings
sys.exit(process.run(Settings(serve=ServeSection(models=sys.argv[1], listen="127.0.0.1:0"))))
"""


def test_service_ends_that_is_told_to_while_its_worker_starts(folder):
    ended = subprocess.run([sys.executable, "-c", ENDED_AT_THE_FORK, str(folder)], timeout=60, stderr=subprocess.PIPE)
    assert ended.returncode == 0, ended.stderr


def test_clients_of_others_work_unchanged(folder, tmp_path):
    tritonclient = pytest.importorskip("tritonclient.http")
    with running(folder / "maps.onnx", tmp_path / "log") as service:
        client = tritonclient.InferenceServerClient(f"127.0.0.1:{service.port}")
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("maps")
        assert client.get_model_metadata("maps")["inputs"][0]["datatype"] == "FP32"
        for is_binary in (True, False):
            given = tritonclient.InferInput("features", [2, 4], "FP32")
            given.set_data_from_numpy(np.array([[1, 2, 3, 4], [0, 0, 0, 0]], np.float32), binary_data=is_binary)
            wanted = [tritonclient.InferRequestedOutput("maps", binary_data=is_binary)]
            values = client.infer("maps", [given], outputs=wanted).as_numpy("maps")
            assert values.shape == (2, 2) and [round(value, 4) for value in values[:, 1].tolist()] == [0.9975, 0.2689]
        client.close()
        # The guide's own request, as it stands.
        curl = subprocess.run(
            [
                *("curl", "-s", "-X", "POST", f"{service.url}/predict", "-H", "Content-Type: application/json"),
                *("-d", '{"features": [1, 2, 3, 4]}'),
            ],
            capture_output=True,
            timeout=30,
        )
        assert json.loads(curl.stdout)["confidence"] == 0.9975


def test_model_path_of_a_cluster_names_the_default(folder, tmp_path):
    with running(None, tmp_path / "log", environment={"MODEL_PATH": str(folder / "maps.onnx")}) as service:
        assert json.loads(service.get("/health")[1]) == {"status": "ok", "model": "maps.onnx"}


def test_mutual_tls_lets_in_clients_of_the_authority_alone(folder, tmp_path, certs):
    settings = {
        "KITTIWAKE_SERVE__CERTIFICATE_FILE": str(certs / "broker.pem"),
        "KITTIWAKE_SERVE__KEY_FILE": str(certs / "broker.key"),
        "KITTIWAKE_SERVE__CLIENT_CA_FILE": str(certs / "ca.pem"),
        "KITTIWAKE_SERVE__DEFAULT": "maps",
    }
    context = ssl.create_default_context(cafile=certs / "ca.pem")
    context.check_hostname = False
    with running(folder, tmp_path / "log", environment=settings) as service:
        url = f"https://127.0.0.1:{service.port}/health"
        with pytest.raises((OSError, urllib.error.URLError)):
            urllib.request.urlopen(url, timeout=10, context=context)
        context.load_cert_chain(certs / "gateway.pem", certs / "gateway.key")
        with urllib.request.urlopen(url, timeout=10, context=context) as reply:
            assert json.load(reply) == {"status": "ok", "model": "maps.onnx"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["models", "--listen", "0.0.0.0:8080"], "can be reached from other machines"),
        (["nothing"], "nothing is no folder"),
        (["models", "--listen", "here"], "serve.listen"),
        (["models", "--token-file", "nothing"], "nothing cannot be read"),
        (["models", "-c", "nothing.toml"], "nothing.toml is not there"),
    ],
)
def test_command_that_cannot_be_exits_with_2_and_the_mend(tmp_path, arguments, problem):
    (tmp_path / "models").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "kittiwake", "serve", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and problem in done.stderr and done.stderr.count("\n") == 1
