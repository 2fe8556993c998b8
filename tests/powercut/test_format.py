"""Power cuts while a partition is formatted for the first time, and what must never be formatted."""

import pytest

from tests.support import cut_tally
from tests.support.micropython import FIRMWARE, run_script


@pytest.fixture(scope="module")
def report():
    return run_script("tests/powercut/format_cuts.py", str(FIRMWARE))


def test_format_cut_after_any_byte_is_done_again(report):
    # Regression: a cut within the format's first program left a partition that every later start called foreign.
    cut_tally.add("unix", report["cuts"], {})
    assert report["failed"] == []
    assert report["cuts"] > 500


def test_format_of_what_is_somebody_elses_is_refused(report):
    assert report["formatted"] == []


_OPEN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from kittiwake_node.io import storage
def refuse(path, mode):
    if mode == "r+b":
        raise OSError(24)
    return open(path, mode)
try:
    storage.FileBlockDevice(sys.argv[2], 65536)
    storage.open = refuse
    storage.FileBlockDevice(sys.argv[2], 65536)
except OSError as error:
    print(json.dumps(error.errno))
"""


def test_format_of_a_file_that_cannot_be_opened_leaves_it(tmp_path):
    # Regression: a file that could not be opened for any reason was made anew, over what it held.
    script, image = tmp_path / "open.py", tmp_path / "flash.img"
    script.write_text(_OPEN)
    image.write_bytes(b"records" * 10000)
    assert run_script(script, str(FIRMWARE), str(image)) == 24
    assert image.read_bytes() == b"records" * 10000
