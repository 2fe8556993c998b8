"""`kittiwake demo` as a user meets it: the report, its promises, and settings that cannot be."""

import json
import re
import signal
import subprocess
import sys
from importlib.util import find_spec

import pytest

from kittiwake.demo import speech
from kittiwake.signals import wav

COMMAND = [sys.executable, "-m", "kittiwake", "demo"]


def run(*arguments):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120)


def test_demo_json_report_holds_its_promises():
    done = run("--seconds", "14", "--seed", "2", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["samples"] == 14000
    assert report["raw_bytes"] == 28000
    assert report["reference_alerts"] >= 20
    assert report["alerts"] == report["reference_alerts"]
    assert (report["mismatches"], report["lost"], report["altered"]) == (0, 0, 0)
    assert report["published"] == report["acked"] > report["alerts"]
    assert report["upstream_bytes"] < report["raw_json_bytes"] / 50
    assert set(report["latency_ms"]) == {"p50", "p99"}
    hears = int(find_spec("pymicro_wakeword") is not None)
    assert (report["keywords"], report["reference_keywords"]) == (hears, hears)
    assert (report["history_rows"], report["history_missing"]) == (report["published"], 0)


def test_demo_leaves_a_history_that_can_be_asked(tmp_path):
    path = tmp_path / "h.sqlite"
    done = run("--seconds", "14", "--guide", "--history", str(path))
    assert done.returncode == 0, done.stderr
    # While it ran, its pages were served.
    assert re.search(r"^in a browser: http://127\.0\.0\.1:\d+/$", done.stderr, re.M)
    assert f"in a browser: kittiwake window --database {path}" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("look at it: kittiwake "))
    asking = [*COMMAND[:-1], *line.split()[4:], "--channel", "vibration", "--since", "all", "--json"]
    asked = subprocess.run(asking, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    assert sum(bucket["n"] for bucket in json.loads(asked.stdout)) == 14000
    before = path.read_bytes()
    done = run("--seconds", "14", "--history", str(path))
    assert done.returncode == 2 and "is there already" in done.stderr
    assert path.read_bytes() == before


def test_demo_with_few_alerts_is_a_failure():
    done = run("--seconds", "1", "--json")
    assert done.returncode == 5
    assert "fewer than 20" in done.stderr


def test_demo_interrupted_still_prints_its_audit():
    # Whoever runs the tests in the background of a shell has SIGINT ignored, and children would take that over.
    process = subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline().startswith("alert")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    report = dict(line.split(maxsplit=1) for line in out.splitlines() if not line.startswith("alert"))
    assert report["interrupted"] == "True"
    assert (report["mismatches"], report["lost"]) == ("0", "0")
    assert int(report["alerts"]) >= 1


def test_demo_replays_a_recording(tmp_path):
    path = tmp_path / "steps.csv"
    path.write_text("x\n" + "".join(f"{500 if i % 40 == 39 else i % 3}\n" for i in range(2000)))
    done = run("--replay", str(path), "--column", "x", "--rate", "0", "--n", "20", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["alerts"] == report["reference_alerts"] == 50


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--readings", "--rate", "51"), "50 Hz"),
        (("--rate", "0"), "--replay"),
        (("--n", "8", "--t", "5/2"), "unreachable"),
        (("--target", "nowhere"), "nowhere"),
        (("--broker", "http://localhost"), "mqtt://"),
    ],
)
def test_demo_bad_settings_exit_2_with_one_line(options, said):
    done = run(*options, "--seconds", "1")
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


def test_demo_counts_a_word_too_many_too_few_or_elsewhere_as_a_mismatch():
    heard = {"keyword": speech.WORD, "index": speech.INDEX}
    assert speech.compare([heard]) == 0
    assert speech.compare([]) == 1
    assert speech.compare([heard, heard]) == 1
    assert speech.compare([heard | {"index": 5}]) == 2


def test_demo_reference_is_where_pymicro_wakeword_decides():
    wakeword = pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")
    content = wav.read_wav(speech.PATH).tobytes()
    word = wakeword.MicroWakeWord.from_builtin(wakeword.Model(speech.WORD))
    frames = enumerate(wakeword.MicroWakeWordFeatures().process_streaming(content))
    first = next(i for i, features in frames if word.process_streaming(features))
    assert 480 + 160 * first == speech.INDEX
