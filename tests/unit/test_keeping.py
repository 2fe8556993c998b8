"""A partition that will not do: the board detects, acts and tells all the same, and health says what is wrong."""

import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.support.micropython import FIRMWARE, ROOT, run_script


@pytest.mark.parametrize(
    ("case", "state", "said"),
    [
        ("blank", "ok", ""),
        ("absent", "absent", "storage-absent"),
        ("foreign", "foreign", "erase the partition"),
        ("later", "foreign", "journal-newer"),
        ("full", "full", "storage-full"),
        ("crowded", "full", "storage-small"),
        ("read-only", "read-only", "storage-read-only"),
        ("read-only-blank", "read-only", "storage-read-only"),
        ("locked", "read-only", "storage-read-only"),
        ("dead", "failed", "storage-failed"),
    ],
)
def test_node_on_a_partition_in_any_state_detects_acts_and_tells(tmp_path, case, state, said):
    found = run_script("tests/unit/keeping_run.py", str(FIRMWARE), str(ROOT / "tests/powercut"), case, str(tmp_path))
    assert found["state"] == state and said in found["problem"]
    assert payload.STORAGE_STATES[found["health"]] == state
    assert found["acted"] is True
    kinds = [kind for kind, _ in found["records"]]
    assert kinds.count(rec.ANOMALY) == 1 and kinds[0] == rec.BOOT
    healths = [payload.unpack_health(bytes.fromhex(body)) for kind, body in found["records"] if kind == rec.HEALTH]
    assert healths and healths[-1]["storage_state"] == payload.STORAGE_STATES.index(state)
    assert healths[-1]["alerts"] == 1
    events = [bytes.fromhex(body) for kind, body in found["records"] if kind == rec.EVENT]
    assert any(b"in memory only" in event for event in events) == (state != "ok")
    assert found["untouched"] is (state in ("absent", "foreign", "read-only", "failed") and case != "later")
    assert found["failed"] == 0
