"""The firmware's codec and sessions do the same under MicroPython and under CPython."""

import json
import subprocess
import sys

from tests.support.micropython import FIRMWARE, ROOT, run_script


def test_codec_and_sessions_over_noise_are_the_same_on_both_interpreters():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/unit/codec_run.py"), str(FIRMWARE)],
        capture_output=True,
        text=True,
        check=True,
    )
    here = json.loads(done.stdout)
    there = run_script("tests/unit/codec_run.py", str(FIRMWARE))
    assert here == there
    assert here["count"] > 2000 and here["acked"] == 300
