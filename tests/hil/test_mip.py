"""mpremote's mip, the real program, puts the firmware of package.json onto an emulated board, and it runs there."""

import hashlib
import subprocess
import sys

import pytest

import kittiwake
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from tests.support.repository import LEFT_OUT_BY_MIP, served

# 155 files at the 8 KB/s of an emulated console; tests/unit/test_mip.py holds their list and their size.
pytestmark = [pytest.mark.timeout(600), pytest.mark.soak]

HASHES = """
import binascii, hashlib, os
def walk(folder):
    for name, kind, *_ in os.ilistdir(folder):
        path = folder + "/" + name
        if kind == 0x4000:
            walk(path)
        else:
            with open(path, "rb") as file:
                print(path, binascii.hexlify(hashlib.sha256(file.read()).digest()).decode())
walk("/mip")
"""
# The last of twenty samples stands out: |z| = (n - 1)/sqrt(n) = 4.25 at most, and more than 5/2.
DETECT = """
import sys
sys.path.insert(0, "/mip")
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore
samples = array("h", [0, 1] * 9 + [0, 1000])
print(kernels.__file__, ZScore(kernels.load("viper"), n=20, p=5, q=2).find(samples, 0, 20))
"""


@pytest.fixture
def bare(request):
    """An emulated board with MicroPython and nothing else, and a file system that takes a MiB."""
    refuse_or_skip(request.config, "qemu:virt")
    with open_target("qemu:virt", deploy=False) as target:
        target.start()
        yield target


def test_mip_of_mpremote_installs_the_firmware_onto_a_board(bare):
    bare.release_console()
    with served() as (address, requests):
        command = [sys.executable, "-m", "mpremote", "connect", bare.console_port, "mip", "install"]
        command += ["--target", "/mip", f"{address}/package.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    firmware = {name: text for name, text in kittiwake.firmware_files().items() if not LEFT_OUT_BY_MIP.match(name)}
    expected = {f"/mip/{name} {hashlib.sha256(text).hexdigest()}" for name, text in firmware.items()}
    assert set(bare.exec(HASHES, timeout_s=120).splitlines()) == expected
    assert len(requests) == len(expected) + 1 > 100
    assert bare.exec(DETECT, timeout_s=60).split() == ["/mip/kittiwake_node/kernels/__init__.py", "19"]
