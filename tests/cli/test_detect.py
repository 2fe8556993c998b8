"""`kittiwake detect` as a user meets it: lines, totals, and one line for everything that is wrong with the input."""

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from kittiwake.reference import drift, novelty, zscore
from kittiwake.signals import vibration


def run(*arguments):
    command = [sys.executable, "-m", "kittiwake", "detect", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def recording(tmp_path):
    samples = vibration.samples(3000, seed=8)
    path = tmp_path / "vibration.csv"
    path.write_text("time;value\n" + "".join(f"{i};{x}\n" for i, x in enumerate(samples)))
    return path, samples


@pytest.mark.parametrize(("n", "t"), [(20, "5/2"), (256, "11/2")])
@pytest.mark.parametrize("column", ["value", "1"])
def test_detect_json_prints_the_references_alerts_and_a_total(recording, n, t, column):
    path, samples = recording
    done = run(path, "--column", column, "--n", n, "--t", t, "--json")
    assert done.returncode == 0
    *alerts, total = map(json.loads, done.stdout.splitlines())
    expected = list(zscore.alerts(samples, n, Fraction(t)))
    assert total == {"samples": 3000, "alerts": len(expected)}
    assert expected
    assert alerts == [
        {
            "index": a.index,
            "x": a.x,
            "n": n,
            "s": a.sum,
            "q": a.sum_sq,
            "z_score": round(a.z, 2),
            "mean": round(a.mean, 2),
            "stdev": round(a.stdev, 2),
        }
        for a in expected
    ]


def test_detect_without_t_takes_5_halves_up_to_20(recording):
    path, _ = recording
    assert run(path, "-c", "value", "--n", 20).stdout.splitlines()[-1].endswith("(n = 20, t = 5/2)")
    assert run(path, "-c", "value", "--n", 40).stdout.splitlines()[-1].endswith("(n = 40, t = 11/2)")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("a\n1\n2\n", ("-c", "b"), "no column 'b'"),
        ("a\n1\nx\n", ("-c", "a"), "line 3"),
        ("a\n1\n1.5\n", ("-c", "a"), "line 3"),
        ("a\n1\n40000\n", ("-c", "a"), "line 3"),
        ("a\n1\n11\n", ("-c", "a", "--range", "0", "10"), "line 3"),
        ("a\n1\n", ("-c", "a", "--range", "0", "ten"), "ten"),
        ("a\n1\n", ("-c", "a", "--n", "8"), "unreachable"),
        ("a\n1\n", ("-c", "a", "--n", "1"), "n: window of 1"),
        ("a\n1\n", ("-c", "a", "--t", "five"), "five"),
        ("a\n1\n", ("-c", "a", "--t", "0"), "not positive"),
        ("a\n1\n", ("-c", "a", "--kernel", "fast"), "fast"),
        ("a\n1\n", ("-c", "a", "--detector", "magic"), "magic"),
        ("a\n1\n", ("-c", "a", "--target", "nowhere"), "nowhere"),
    ],
)
def test_detect_bad_input_exits_with_one_line(tmp_path, text, options, said):
    path = tmp_path / "in.csv"
    path.write_text(text)
    done = run(path, *options)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert "internal error" not in done.stderr


def test_detect_missing_file_exits_2_and_names_it(tmp_path):
    done = run(tmp_path / "none.csv", "-c", "a")
    assert done.returncode == 2
    assert "none.csv" in done.stderr


@pytest.mark.parametrize("kind", ["drift", "novelty"])
def test_detect_of_levels_prints_the_references_alerts(tmp_path, kind):
    levels = [100 + i % 3 for i in range(500)] + [160 + i % 3 for i in range(300)] + [100 + i % 3 for i in range(300)]
    path = tmp_path / "levels.csv"
    path.write_text("x\n" + "".join(f"{x}\n" for x in levels))
    reference = {"drift": drift.detections, "novelty": novelty.alarms}[kind]
    expected = list(reference(levels))
    assert expected
    done = run(path, "-c", "x", "--detector", kind, "--json")
    assert done.returncode == 0, done.stderr
    *alerts, total = map(json.loads, done.stdout.splitlines())
    assert [alert["index"] for alert in alerts] == expected
    assert total == {"samples": len(levels), "alerts": len(expected)}


def test_detect_of_a_baseline_names_the_feature_that_left_it(tmp_path):
    quiet = [(-1) ** i * (20 + (i * 13) % 7) for i in range(64 * 20)]
    path = tmp_path / "vibration.csv"
    path.write_text("x\n" + "".join(f"{x}\n" for x in quiet + [90, -90] * 32))
    options = ("--detector", "baseline", "--set", "block=64", "--set", "learn=10", "--json")
    alert, total = map(json.loads, run(path, "-c", "x", *options).stdout.splitlines())
    assert (alert["index"], alert["feature"], alert["feature_value"]) == (len(quiet) + 63, "variance", 8100 * 256)
    assert total == {"samples": len(quiet) + 64, "alerts": 1}
    lead = tmp_path / "commissioning.csv"
    lead.write_text("x\n" + "".join(f"{x}\n" for x in quiet))
    path.write_text("x\n" + "90\n-90\n" * 32)
    alert, total = map(json.loads, run(path, "-c", "x", "--learn", lead, *options).stdout.splitlines())
    assert (alert["index"], total) == (63, {"samples": 64, "alerts": 1})
    assert "variance" in run(path, "-c", "x", "--learn", lead, *options[:-1]).stdout.splitlines()[0]


def test_detect_sets_what_a_detector_takes(tmp_path):
    path = tmp_path / "levels.csv"
    path.write_text("x\n" + "".join(f"{100 + 40 * (i > 400) + i % 3}\n" for i in range(800)))
    calm = run(path, "-c", "x", "--detector", "novelty", "--set", "sensitivity=25", "--json").stdout.splitlines()
    keen = run(path, "-c", "x", "--detector", "novelty", "--set", "sensitivity=300", "--json").stdout.splitlines()
    assert len(calm) < len(keen)
    refused = run(path, "-c", "x", "--detector", "novelty", "--set", "sensitivity=1")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "sensitivity" in refused.stderr
