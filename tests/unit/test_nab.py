"""The benchmark's scorer against values worked by hand, and its table against what is claimed."""

import json
import math
from pathlib import Path

import pytest

from kittiwake.reference import drift, novelty
from tools import nab, nab_picture

# A file of 100 rows: 15 on probation; windows of ten rows at 40 .. 49 and of five at 80 .. 84.
SERIES = nab.Series("a/b.csv", [], [0.0] * 100, [(40, 49), (80, 84)])


def sigmoid(y):
    return 2 / (1 + math.exp(5 * y)) - 1


def test_count_of_nothing_misses_every_window():
    assert nab.count(SERIES, []) == (0, 2, 0)


def test_count_at_a_windows_first_row_is_worth_one():
    hit, missed, false = nab.count(SERIES, [40, 80])
    assert (hit, missed, false) == (pytest.approx(2), 0, 0)


def test_count_takes_a_windows_earliest_detection_alone():
    assert nab.count(SERIES, [49, 45, 47]) == (pytest.approx(sigmoid(-0.5) / sigmoid(-1)), 1, 0)


def test_count_of_false_alarms_grows_with_the_distance_from_a_window():
    # Before any window: 1. Nine rows after the first, whose width less one is nine: y = 1. Far after the last: 1.
    hit, missed, false = nab.count(SERIES, [20, 58, 99])
    assert (hit, missed) == (0, 2)
    assert false == pytest.approx(1 - sigmoid(1) + 1)


def test_count_ignores_probation():
    assert nab.count(SERIES, range(15)) == (0, 2, 0)


def test_scores_of_silence_and_of_perfection_are_0_and_100():
    assert nab.scores([SERIES], {"a/b.csv": []}) == dict.fromkeys(nab.PROFILES, 0.0)
    assert nab.scores([SERIES], {"a/b.csv": [40, 80]}) == pytest.approx(dict.fromkeys(nab.PROFILES, 100.0))


def test_scores_weigh_misses_and_false_alarms_by_profile():
    # One window of two found at once, one full false alarm.
    found = nab.scores([SERIES], {"a/b.csv": [20, 40]})
    assert found["standard"] == pytest.approx(100 * (1 - 1 - 0.11 + 2) / 4)
    assert found["reward low FP"] == pytest.approx(100 * (1 - 1 - 0.22 + 2) / 4)
    assert found["reward low FN"] == pytest.approx(100 * (1 - 2 - 0.11 + 4) / 6)


def test_quantise_rounds_half_to_even_and_a_constant_to_0():
    assert nab.quantise([0.0, 1.0, 2.0], 8) == [0, 128, 255]  # 127.5 goes to the even 128
    assert nab.quantise([3.0, 3.0]) == [0, 0]


@pytest.mark.parametrize(
    ("detect", "least"), [(novelty.alarms, (75.6, 69.8, 79.4)), (drift.detections, (59.7, 45.7, 65.9))]
)
def test_detectors_on_the_benchmark_score_what_is_claimed(data_dir: Path, detect, least):
    benchmark = nab.load(data_dir / "nab")
    assert len(benchmark) == 58
    found = nab.scores(benchmark, {s.name: list(detect(nab.quantise(s.values))) for s in benchmark})
    assert all(score >= bound for score, bound in zip(found.values(), least, strict=True)), found


def test_published_detections_score_what_was_published(data_dir: Path):
    alarms, final = nab.published(data_dir / "nab")
    assert sum(map(len, alarms.values())) > 1000
    assert nab.scores(nab.load(data_dir / "nab"), alarms) == pytest.approx(final, abs=1e-6)


def test_published_detections_with_one_more_do_not_score_what_was_published(data_dir: Path):
    """Shows that the check of the scorer can fail."""
    alarms, final = nab.published(data_dir / "nab")
    wrong = {**alarms, "realKnownCause/nyc_taxi.csv": [1, 5000]}
    assert nab.scores(nab.load(data_dir / "nab"), wrong) != pytest.approx(final, abs=1e-6)


def test_published_of_a_checkout_takes_rows_of_the_largest_score(tmp_path: Path):
    rows = tmp_path / "results" / "windowedGaussian" / "a"
    rows.mkdir(parents=True)
    (rows / "windowedGaussian_b.csv").write_text("timestamp,anomaly_score\n1,0.5\n2,1.0\n3,0.999\n")
    scores = {"standard": 1.0, "reward_low_FP_rate": 2.0, "reward_low_FN_rate": 3.0}
    (tmp_path / "results" / "final_results.json").write_text(json.dumps({"windowedGaussian": scores}))
    given = ({"a/b.csv": [1]}, {"standard": 1.0, "reward low FP": 2.0, "reward low FN": 3.0})
    assert nab.published(tmp_path) == given


def test_picture_shows_every_row_of_the_table(tmp_path: Path):
    row = dict.fromkeys(nab.PROFILES, 50.0)
    table = {
        nab_picture.OURS: {"novelty": row, "drift": row},
        nab_picture.CONTROLS: {"random": row},
        nab_picture.QUARTERS: {"base 1 -> 2": row},
        nab_picture.TWO_FOLD: {"both halves together": row},
    }
    nab_picture.draw(tmp_path / "p.svg", {"Somebody": (1.0, 2.0, 3.0)}, table)
    text = (tmp_path / "p.svg").read_text()
    names = ("kittiwake novelty", "kittiwake drift", "Somebody", "random", "base 1", "other half", "reward low FN")
    assert all(name in text for name in names)
