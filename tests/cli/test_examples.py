"""The examples: every node.toml is explained, every gateway.toml checked, as the program does it for a user."""

import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.support.documents import ROOT
from tools.docs import recording

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/node.toml"))
KITTIWAKE = [sys.executable, "-m", "kittiwake"]


def _run(*arguments, cwd):
    return subprocess.run([*KITTIWAKE, *arguments], cwd=cwd, capture_output=True, text=True, timeout=100)


def test_examples_are_there():
    assert {path.name for path in EXAMPLES} == {"vibration", "temperature", "wake-word", "direct-mqtt"}
    assert all((path / "gateway.toml").exists() for path in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_node_of_an_example_is_explained(example):
    done = _run("explain", "node.toml", cwd=example)
    assert done.returncode == 0, done.stderr
    config = tomllib.loads((example / "node.toml").read_text())
    for channel in config["channels"]:
        if channel.get("kind") == "microphone":
            assert f"channel {channel['name']}: hearing (" in done.stdout
        else:
            assert f"channel {channel['name']}: source {channel['source']['kind']}" in done.stdout
            for detector in channel["detectors"]:
                assert f"channel {channel['name']}: {detector['kind']}" in done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_gateway_of_an_example_is_checked(example, tmp_path, certs):
    folder = shutil.copytree(example, tmp_path / "example")
    broker = tomllib.loads((folder / "gateway.toml").read_text())["broker"]
    for name, file in (("ca_file", "ca.pem"), ("certificate_file", "gateway.pem"), ("key_file", "gateway.key")):
        if name in broker:
            shutil.copy(certs / file, folder / broker[name])
    done = _run("bridge", "check", "-c", "gateway.toml", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("broker")
    assert ("TLS" in done.stdout) == ("ca_file" in broker)


def test_example_with_a_setting_that_cannot_be_is_refused(tmp_path):
    text = (ROOT / "examples/vibration/node.toml").read_text()
    (tmp_path / "node.toml").write_text(text.replace("rate_hz = 400", "rate_hz = 401"))
    done = _run("explain", "node.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "LIS3DH has no rate of 401 Hz" in done.stderr


def test_scale_of_the_accelerometer_is_the_one_that_explain_says():
    done = _run("explain", "node.toml", cwd=ROOT / "examples/vibration")
    scale = tomllib.loads((ROOT / "examples/vibration/node.toml").read_text())["channels"][0]["scale"]
    assert f'scale = "{scale}"' in done.stdout


def test_recording_of_the_example_is_the_script_s():
    text = (ROOT / "examples/temperature/readings.csv").read_text()
    assert text == "\n".join(recording.lines()) + "\n"
