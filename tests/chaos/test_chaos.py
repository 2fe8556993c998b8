"""Everything fails, again and again, and every record arrives: seeded, with real processes, judged by the ledger."""

import os

import pytest

from tests.chaos import chaos

pytestmark = pytest.mark.needs("mosquitto")

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
RECORDS = 1_000_000 if SOAK else 20_000


@pytest.mark.timeout(7200 if SOAK else 240)
def test_chaos_loses_nothing_alters_nothing_and_keeps_the_order(tmp_path, figures):
    more = {"pause_s": 3.0, "most_disasters": 300} if SOAK else {}
    run = chaos.Run(tmp_path, seed=1, records=RECORDS, **more)
    result = run.go()
    figures(result.line())
    assert result.records >= RECORDS
    assert result.events.keys() == set(chaos.KINDS)
    assert (result.lost, result.altered, result.unknown, result.disordered) == (0, 0, 0, 0), run.missing
    assert result.duplicates > 0, "a run without duplicates had no disaster worth its name"


@pytest.mark.parametrize("fault", ["lost", "altered", "unknown", "disordered"])
def test_chaos_audit_with_a_fault_put_in_finds_it(tmp_path, fault):
    # The audit itself: what it would say of a bridge that lies.
    run = chaos.Run(tmp_path, seed=2, records=0)
    lines = []
    for seq in range(5):
        run.made["d", 1, seq] = ("event", {"text": str(seq)})
        lines.append(
            f'{{"topic":"kittiwake/d/event","payload":'
            f'"{{\\"device\\":\\"d\\",\\"journal\\":\\"1\\",\\"seq\\":{seq},\\"text\\":\\"{seq}\\"}}"}}'
        )
    if fault == "lost":
        del lines[3]
    elif fault == "altered":
        lines.append(lines[2].replace('\\"text\\":\\"2', '\\"text\\":\\"7'))
    elif fault == "unknown":
        del run.made["d", 1, 4]
    else:
        lines[1], lines[2] = lines[2], lines[1]
    (tmp_path / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    run._audit(tmp_path / "ledger.jsonl")
    assert getattr(run.figures, fault) == 1
