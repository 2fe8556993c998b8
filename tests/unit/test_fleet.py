"""The inventory: what is believed of devices, and what is kept of them."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.fleet import tags
from kittiwake.fleet.inventory import DEVICES_MOST, Device, Inventory, State
from kittiwake.fleet.store import FleetStore

NOW_MS = 1_767_323_045_000


def said(inventory, topic, body, now_ms=NOW_MS):
    inventory.take(f"kittiwake/{topic}", body if isinstance(body, bytes) else json.dumps(body).encode(), now_ms)


def identity(name, status="ok", **result):
    return {"id": "x", "op": "identify", "device": name, "bridge": "bridge", "status": status, "result": result}


def test_inventory_believes_no_retained_word():
    fleet = Inventory()
    said(fleet, "press/status", b"online")
    (press,) = fleet.listed()
    assert press.state is State.SILENT and press.heard_ms is None and fleet.to_identify() == ["press"]
    said(fleet, "press/resp", identity("press", firmware="1.4", on="micropython 1.26.1 on ESP32", unique_id="a0"))
    assert press.state is State.ONLINE and press.heard_ms == NOW_MS and fleet.to_identify() == []
    assert (press.firmware, press.on, press.unique_id) == ("1.4", "micropython 1.26.1 on ESP32", "a0")
    said(fleet, "press/status", b"offline")
    assert press.state is State.OFFLINE and press.firmware == "1.4"
    said(fleet, "press/status", b"online")
    assert press.state is State.SILENT, "it was heard before it left, not since"
    said(fleet, "press/status", b"")
    assert press.state is State.UNKNOWN


@pytest.mark.parametrize("status", ["unreachable", "busy", "invalid"])
def test_inventory_takes_a_bridges_excuse_for_no_sign_of_life(status):
    fleet = Inventory()
    said(fleet, "press/status", b"online")
    said(fleet, "press/resp", identity("press", status, firmware="1.4"))
    assert fleet.devices["press"].state is State.SILENT and fleet.devices["press"].firmware == ""


def test_inventory_knows_bridges_from_devices():
    fleet = Inventory()
    for name in ("bridge", "press", "own"):
        said(fleet, f"{name}/status", b"online")
    said(fleet, "bridge/devices", ["press", "a/b", 7])
    assert [(device.name, device.bridge) for device in fleet.listed()] == [("own", ""), ("press", "bridge")]
    said(fleet, "second/devices", ["press"])
    said(fleet, "bridge/devices", [])
    assert fleet.devices["press"].bridge == "second"
    said(fleet, "third/resp", {"device": None, "bridge": "third", "status": "unknown"})
    said(fleet, "third/status", b"online")
    assert "third" not in [device.name for device in fleet.listed()]


def test_inventory_counts_what_a_journal_gave_up():
    fleet = Inventory()
    body = {"device": "press", "boot": 7, "heap_free": 90_000, "evicted_raw": 3, "evicted_alert": 1, "commits": 5}
    said(fleet, "press/health", body)
    press = fleet.devices["press"]
    assert (press.boot, press.evicted, press.health) == (7, 4, {"heap_free": 90_000})
    said(fleet, "press/health", body | {"boot": True, "evicted_raw": "3"})
    assert (press.boot, press.evicted) == (7, 1)


def test_inventory_has_a_bound():
    fleet = Inventory()
    for number in range(DEVICES_MOST + 3):
        said(fleet, f"d{number}/status", b"online")
    assert len(fleet.listed()) == DEVICES_MOST and fleet.dropped == 3


@given(
    st.sampled_from(["a/status", "a/devices", "a/resp", "a/health", "/status", "a\n/health", "other", "a/b/c"]),
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["device", "boot", "result", "op"]), inner),
    ),
)
def test_inventory_takes_whatever_is_published(topic, body):
    fleet = Inventory([Device("a", tags={"hall": "4"})])
    said(fleet, topic, body)
    assert set(fleet.devices) >= {"a"} and fleet.devices["a"].tags == {"hall": "4"}
    for device in fleet.listed():
        assert f"{device.state} {device.on} {device.firmware}".isprintable()


def test_store_gives_back_what_was_written_and_keeps_tags(tmp_path):
    path = tmp_path / "fleet.sqlite"
    press = Device("press", "online", True, NOW_MS, "bridge", "1.4", "unix", "a0", 7, 4, {"heap_free": 9})
    with FleetStore(path) as store:
        store.write([press, Device("lathe")])
        store.tag(["press", "lathe"], {"hall": "4", "group": "a"})
        store.tag(["lathe"], {"group": ""})
        store.write([press])
    with FleetStore(path) as store:
        known = {device.name: device for device in store.devices()}
    assert known["press"].tags == {"hall": "4", "group": "a"} and known["lathe"].tags == {"hall": "4"}
    assert not known["press"].is_heard, "it was heard in another life"
    assert vars(known["press"]) | {"is_heard": True, "tags": {}} == vars(press)
    selected = Inventory(known.values()).listed("group=a")
    assert [device.name for device in selected] == ["press"]


def test_store_refuses_unknown_devices_and_writes_nothing(tmp_path):
    with FleetStore(tmp_path / "fleet.sqlite") as store:
        store.write([Device("press")])
        with pytest.raises(UsageError, match="no device moon"):
            store.tag(["press", "moon"], {"hall": "4"})
        assert store.devices()[0].tags == {}


def test_store_leaves_files_of_others_alone(tmp_path):
    foreign, later, text = (tmp_path / name for name in ("foreign", "later", "text"))
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE mine (x)")
    with FleetStore(later):
        pass
    with sqlite3.connect(later) as db:
        db.execute("PRAGMA user_version = 9")
    text.write_text("hello " * 1000)
    for path, words in ((foreign, "not a file of an inventory"), (later, "later version"), (text, "cannot be opened")):
        before = path.read_bytes()
        with pytest.raises(KittiwakeError, match=words):
            FleetStore(path)
        assert path.read_bytes() == before


def test_tags_are_told_from_devices():
    assert tags.split(["press-1", "hall=4", "lathe", "group="]) == (["press-1", "lathe"], {"hall": "4", "group": ""})


@pytest.mark.parametrize("words", [["press"], ["hall=4"], ["press", "a=1", "a=2"], ["press", "=1"], ["p", "a=b c"], []])
def test_tags_that_cannot_be_are_refused(words):
    with pytest.raises(UsageError):
        tags.split(words)


@pytest.mark.parametrize("text", ["hall", "hall=", "=4", "a=b=c"])
def test_selection_that_names_no_group_is_refused(text):
    with pytest.raises(UsageError):
        tags.selection(text)


def test_store_gives_a_device_its_tags_and_no_others_known_or_not(tmp_path):
    with FleetStore(tmp_path / "fleet.sqlite") as store:
        store.put("press-1", {"hall": "4", "line": "a"})
        store.put("press-2", {"hall": "5"})
        store.put("press-1", {"hall": "6"})
        assert store.tags() == {"press-1": {"hall": "6"}, "press-2": {"hall": "5"}}
        assert [(device.name, device.tags["hall"]) for device in store.devices()] == [
            ("press-1", "6"),
            ("press-2", "5"),
        ]
        store.write([Device("press-1", "online")])
        assert store.tags()["press-1"] == {"hall": "6"}
        for name in ("", "a/b", "a b", "a" * 65):
            with pytest.raises(UsageError, match="no device's name"):
                store.put(name, {"hall": "4"})
        assert len(store.devices()) == 2


def test_all_tags_of_a_device_are_read_from_one_line():
    assert tags.several(" hall=4  line=a ") == {"hall": "4", "line": "a"} and tags.several("") == {}


@pytest.mark.parametrize("text", ["hall", "hall=", "hall=4 hall=5", "hall=<b>", "=4", "a=b=c"])
def test_line_that_is_no_tags_is_refused(text):
    with pytest.raises(UsageError):
        tags.several(text)
