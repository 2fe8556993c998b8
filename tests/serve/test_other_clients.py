"""What others make of the description: Schemathesis asks what it allows and forbids; a generator writes a client."""

import json
import re
import subprocess
import sys

import pytest

from kittiwake.serve import openapi
from tests.serve.running import running
from tests.support.hil import SOAK

# Of each operation that takes something, nine of 17; the others are asked once.
EXAMPLES, REQUESTS = (11_200, 100_000) if SOAK else (15, len(openapi.PATHS))
CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
CLIENT = """
import json, sys
from kittiwake_inference_service_client import Client
from kittiwake_inference_service_client.api.default import get_v1_models_name, post_predict
from kittiwake_inference_service_client.models import Features
client = Client(base_url=sys.argv[1])
print(json.dumps(post_predict.sync(client=client, body=Features(features=[1, 2, 3, 4])).to_dict()))
print(json.dumps(get_v1_models_name.sync("anomaly_detector", client=client).to_dict()))
"""


@pytest.mark.timeout(14_400 if SOAK else 120)
def test_answers_to_whatever_schemathesis_asks_are_those_of_the_description(folder, tmp_path):
    pytest.importorskip("schemathesis")
    with running(folder, tmp_path / "log", "--default", "anomaly_detector") as service:
        worker = service.worker()
        words = ["run", f"{service.url}/openapi.json", "--phases", "fuzzing", "--max-examples", str(EXAMPLES)]
        words += ["--checks", CHECKS, "--seed", "1", "--request-timeout", "20", "--no-color"]
        words += ["--suppress-health-check", "too_slow"]  # how fast this machine makes examples says nothing of answers
        words += ["--generation-database", "none"]  # it would go over its best examples again and again
        asked = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *words], cwd=tmp_path, capture_output=True, text=True
        )
        assert asked.returncode == 0, asked.stdout
        assert service.get("/predict", {"features": [1, 2, 3, 4]})[0] == 200 and service.worker() == worker
    generated = int(re.search(r"Test cases:\s+(\d+) generated", asked.stdout)[1])
    assert generated >= REQUESTS
    print(f"schemathesis: {generated} requests")
    assert "this is a bug" not in (tmp_path / "log").read_text()


def test_client_that_a_generator_writes_works(folder, tmp_path):
    pytest.importorskip("openapi_python_client")
    (tmp_path / "openapi.json").write_text(json.dumps(openapi.document()))
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    words = ["generate", "--path", "openapi.json", "--config", "config.yml", "--meta", "none"]
    words += ["--output-path", "kittiwake_inference_service_client"]
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr, made.stdout + made.stderr
    with running(folder, tmp_path / "log", "--default", "anomaly_detector") as service:
        asked = subprocess.run(
            [sys.executable, "-c", CLIENT, service.url], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
    assert asked.returncode == 0, asked.stderr
    prediction, model = map(json.loads, asked.stdout.splitlines())
    assert (prediction["anomaly"], prediction["confidence"]) == (True, 0.9975)
    assert model["name"] == "anomaly_detector" and model["ready"] is True
