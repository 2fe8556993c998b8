"""What the doctor makes of facts: a healthy board has nothing but ok, and each ailment is found, with its mend."""

import copy

import pytest

import kittiwake
from kittiwake.doctor.judge import judge

HEALTHY = {
    "system": {
        "implementation": "micropython 1.27.0",
        "cpu": "Generic ESP32 with ESP32",
        "mhz": 160.0,
        "heap_free": 150_000,
        "heap_bytes": 160_000,
        "has": ["viper", "network", "tls"],
        "classes": ["ADC", "I2C", "WDT"],
        "littlefs": True,
        "romfs": False,
        "flash_bytes": 2_000_000,
        "flash_free_bytes": 1_000_000,
    },
    "clock": {"ppm": 20, "doubt_ppm": 300, "off_s": None},
    "application": {
        "slot": "app-a",
        "version": kittiwake.__version__,
        "sizes": {"app-a": 150_000, "app-b": 0},
        "unique_id": "0123",
        "reset_cause": "power on",
    },
    "configuration": {"refused": "", "absent": [], "link": "stdio", "watchdog_s": 0},
    "provisioned": {"device": "kw-7", "wifi": {"ssid": "plant", "password_file": "provision/wifi-1"}},
    "journal": {
        "state": "ok",
        "problem": "",
        "boots": 3,
        "waiting": 7,
        "next_seq": 100,
        "damaged": 0,
        "evicted": [0, 0, 0],
        "used_bytes": 8192,
        "limit_bytes": 900_000,
    },
    "channels": [
        {
            "name": "vib",
            "kind": "lis3dh",
            "rate_hz": 400,
            "count": 400,
            "low": -20,
            "high": 30,
            "at_ends": 0,
            "overruns": 0,
            "bus_errors": 0,
            "span_ms": 1000,
            "in_span": 400,
        }
    ],
    "link": {"kind": "stdio", "device": "kw-7", "answers": True},
}


def ailing(changes):
    """HEALTHY with changes, each at a path of keys."""
    facts = copy.deepcopy(HEALTHY)
    for path, value in changes.items():
        *there, last = path.split(".")
        place = facts
        for key in there:
            place = place[int(key) if key.isdecimal() else key]
        place[int(last) if last.isdecimal() else last] = value
    return facts


def test_doctor_finds_nothing_wrong_with_a_healthy_board():
    found = judge(HEALTHY)
    assert {finding.state for finding in found} == {"ok"}
    assert [finding.check for finding in found] == [
        "micropython",
        "features",
        "heap",
        "clock",
        "time of day",
        "application",
        "chip",
        "last reset",
        "flash",
        "configuration",
        "provisioned",
        "journal",
        "channel vib",
        "link",
    ]
    assert "plant" not in str(found) and "7 records wait" in str(found)


@pytest.mark.parametrize(
    ("changes", "check", "state", "told"),
    [
        ({"system.implementation": "micropython 1.23.0"}, "micropython", "wrong", "kittiwake flash"),
        ({"system.implementation": "micropython 1.30.0"}, "micropython", "note", "not this one"),
        ({"system": {"error": "silent"}}, "micropython", "wrong", "silent"),
        ({"system.heap_free": 50_000}, "heap", "wrong", "a node takes 60 KiB"),
        ({"clock": {"error": "silent"}}, "clock", "wrong", "silent"),
        ({"clock.ppm": -30_000}, "clock", "wrong", "crystal"),
        ({"clock.ppm": 2_000}, "clock", "note", "+2000 ppm"),
        ({"clock.ppm": 2_000, "clock.doubt_ppm": 1_500}, "clock", "ok", "within 1500"),
        ({"clock.off_s": -5}, "time of day", "ok", "-5 s"),
        ({"application": {"error": "no application", "sizes": {}}}, "application", "wrong", "kittiwake deploy"),
        ({"application.version": "0.0.1"}, "application", "note", "kittiwake deploy brings it"),
        ({"application.reset_cause": "brown-out"}, "last reset", "wrong", "supply"),
        ({"application.reset_cause": "watchdog"}, "last reset", "note", "watchdog_s"),
        ({"system.flash_free_bytes": 100_000}, "flash", "note", "before you deploy"),
        ({"system.flash_free_bytes": 100_000, "application.sizes.app-b": 90_000}, "flash", "ok", "97 of"),
        ({"configuration": None}, "configuration", "wrong", "--config"),
        ({"configuration.refused": "block: 0"}, "configuration", "wrong", "block: 0"),
        ({"configuration.absent": ["ca.pem"]}, "configuration", "wrong", "ca.pem is not on the board"),
        ({"configuration.watchdog_s": 8, "system.classes": []}, "watchdog", "wrong", "leave watchdog_s out"),
        ({"provisioned": {"error": "damaged"}}, "provisioned", "wrong", "--forget all"),
        ({"provisioned": {}}, "provisioned", "ok", "nothing"),
        ({"journal": {"error": "ENODEV"}}, "journal", "wrong", "ENODEV"),
        ({"journal.problem": "no", "journal.state": "foreign"}, "journal", "wrong", "memory only"),
        ({"journal.state": "full"}, "journal", "note", "let a bridge take them"),
        ({"journal.evicted": [1, 2, 3]}, "records lost", "note", "1 raw, 2 telemetry, 3 alert"),
        ({"journal.damaged": 2}, "records damaged", "wrong", "worn"),
        ({"channels.0": {"error": "it hangs"}}, "channel", "wrong", "it hangs"),
        ({"channels.0": {"name": "x", "kind": "link", "rate_hz": 0}}, "channel x", "ok", "over the link"),
        (
            {"channels.0": {"name": "x", "kind": "lis3dh", "rate_hz": 0, "error": "no LIS3DH", "others": [0x68]}},
            "channel x",
            "wrong",
            "on the bus: 0x68",
        ),
        (
            {"channels.0": {"name": "x", "kind": "lis3dh", "rate_hz": 0, "error": "no LIS3DH", "others": []}},
            "channel x",
            "wrong",
            "on the bus: nothing",
        ),
        ({"channels.0.count": 0}, "channel vib", "wrong", "gives nothing"),
        ({"channels.0.low": 30}, "channel vib", "wrong", "always the same"),
        ({"channels.0.low": 30, "channels.0.count": 20}, "channel vib", "ok", "20 samples"),
        ({"channels.0.at_ends": 40}, "channel vib", "note", "10% at the ends"),
        ({"channels.0.overruns": 3}, "channel vib", "note", "3 lost"),
        ({"channels.0.bus_errors": 1}, "channel vib", "note", "1 failed transfers"),
        ({"channels.0.in_span": 350}, "channel vib", "note", "350 a second, not 400"),
        ({"link.answers": False, "link.kind": "mqtt"}, "link", "ok", "mqtt: kw-7 runs; where its link leads"),
        ({"link": {"error": "no"}}, "link", "wrong", "does not run: no"),
    ],
)
def test_doctor_finds_an_ailment_and_names_the_mend(changes, check, state, told):
    found = {finding.check: finding for finding in judge(ailing(changes))}
    assert found[check].state == state
    assert told in f"{found[check].detail}; {found[check].mend}"
    assert found[check].mend or state == "ok" or check == "micropython"
    others = {finding.state for name, finding in found.items() if name != check}
    assert others <= {"ok"}
