"""What facts about a board mean: findings, each with what to do. Pure: facts in, findings out; asks no board."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import kittiwake
from kittiwake.doctor.facts import (
    ApplicationFacts,
    BoardFacts,
    ChannelFacts,
    ClockFacts,
    ConfigurationFacts,
    Failure,
    JournalFacts,
    LinkFacts,
    SystemFacts,
)
from kittiwake.target import micropython_versions

_NODE_HEAP_BYTES = (
    60 * 1024
)  # what a node with one channel takes on the smallest board that runs it, see docs/explanation
_DRIFT_NOTED_PPM, _DRIFT_WRONG_PPM = 1000, 20000
_CONSTANT_SAMPLES = 100
_RATE_SHARE = 0.05
_CLIPPED_SHARE = 0.01


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        check: what; a word, and for a channel its name.
        state: "ok", "note" (it works, and somebody may want to know) or "wrong".
        detail: one line.
        mend: what to do; "" when nothing is to be done.
    """

    check: str
    state: str
    detail: str
    mend: str = ""


def judge(facts: BoardFacts) -> list[Finding]:
    """Judge what `ask` found.

    Args:
        facts: as `ask.ask` gives them.

    Returns:
        Findings, in the order in which a board comes to life.
    """
    findings = [
        *_system(facts["system"]),
        *_clock(facts["clock"]),
        *_application(facts["application"], facts["system"]),
    ]
    if facts["configuration"] is None:
        if "error" not in facts["application"]:
            findings.append(
                Finding("configuration", "wrong", "there is none on the board", "kittiwake deploy --config")
            )
    else:
        findings += _configuration(facts["configuration"], facts["system"])
        findings += _provisioned(facts["provisioned"])
        findings += _journal(facts["journal"])
    for channel in facts.get("channels", []):
        findings += _channel(channel)
    if "link" in facts:
        findings += _link(facts["link"])
    return findings


def _system(facts: SystemFacts | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("micropython", "wrong", f"it does not answer: {facts['error']}", "reset the board, flash it anew")
        return
    version = facts["implementation"].split()[-1]
    detail = f"{facts['implementation']}, {facts['cpu']}" + (f", {facts['mhz']:g} MHz" if facts["mhz"] else "")
    if micropython_versions.is_too_old(version):
        supported = micropython_versions.SUPPORTED
        yield Finding("micropython", "wrong", f"{detail}: {supported} are supported", "kittiwake flash a later one")
    elif micropython_versions.is_untried(version):
        yield Finding("micropython", "note", f"{detail}: {micropython_versions.SUPPORTED} are tested, not this one")
    else:
        yield Finding("micropython", "ok", detail)
    has = [name for name in ("viper", "asm_thumb", "asm_rv32") if name in facts["has"]]
    features = f"native code: {', '.join(has) or 'none'}; machine: {', '.join(facts['classes']) or 'none'}"
    features += "".join(f"; {name}" for name in ("network", "tls") if name in facts["has"])
    features += "; LittleFS" * facts["littlefs"] + "; ROMFS" * facts["romfs"]
    yield Finding("features", "ok", features)
    heap = f"{facts['heap_free'] // 1024} of {facts['heap_bytes'] // 1024} KiB free at the prompt"
    if facts["heap_free"] < _NODE_HEAP_BYTES:
        yield Finding(
            "heap", "wrong", heap, f"a node takes {_NODE_HEAP_BYTES // 1024} KiB: reset the board, or take another"
        )
    else:
        yield Finding("heap", "ok", heap)


def _clock(facts: ClockFacts | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("clock", "wrong", facts["error"], "reset the board")
        return
    beyond = abs(facts["ppm"]) - facts["doubt_ppm"]
    detail = f"{facts['ppm']:+} ppm (within {facts['doubt_ppm']}) against this machine's"
    if beyond > _DRIFT_WRONG_PPM:
        yield Finding("clock", "wrong", detail, "check its crystal, and that the image is for this board")
    elif beyond > _DRIFT_NOTED_PPM:
        yield Finding("clock", "note", detail, "rates and times are off by as much")
    else:
        yield Finding("clock", "ok", detail)
    if facts["off_s"] is None:
        yield Finding("time of day", "ok", "not set; a bridge sets the node's, or ntp where the link is mqtt")
    else:
        yield Finding("time of day", "ok", f"{facts['off_s']:+} s against this machine's")


def _application(facts: ApplicationFacts | Failure, system: SystemFacts | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("application", "wrong", facts["error"], "kittiwake deploy")
        return
    where = facts["slot"] or "no slot"
    detail = f"kittiwake {facts['version']} in {where}"
    if facts["version"] != kittiwake.__version__:
        yield Finding("application", "note", f"{detail}; this is {kittiwake.__version__}", "kittiwake deploy brings it")
    else:
        yield Finding("application", "ok", detail)
    if facts["unique_id"]:
        yield Finding("chip", "ok", f"id {facts['unique_id']}")
    causes = {
        "brown-out": ("wrong", "its supply broke down", "a better supply, or shorter and thicker wires"),
        "watchdog": (
            "note",
            "the watchdog reset it",
            "its loop hung, or watchdog_s is too short: look at loop_max_us in health",
        ),
    }
    state, cause, mend = causes.get(facts["reset_cause"], ("ok", facts["reset_cause"], ""))
    yield Finding("last reset", state, cause, mend)
    sizes = facts["sizes"]
    if "error" in system or "flash_free_bytes" not in system:
        return
    free = system["flash_free_bytes"]
    detail = f"{free // 1024} of {system['flash_bytes'] // 1024} KiB free"
    other = next((size for name, size in sizes.items() if name != facts["slot"]), 0)
    if facts["slot"] and free + other < sizes[facts["slot"]]:
        yield Finding(
            "flash", "note", f"{detail}: too little for a second application", "remove files before you deploy"
        )
    else:
        yield Finding("flash", "ok", detail)


def _configuration(facts: ConfigurationFacts | Failure, system: SystemFacts | Failure) -> Iterator[Finding]:
    why = facts["error"] if "error" in facts else facts["refused"]
    if "error" in facts or why:
        yield Finding("configuration", "wrong", why, "mend it and kittiwake deploy --config")
        return
    if facts["absent"]:
        yield Finding("configuration", "wrong", f"{facts['absent'][0]} is not on the board", "kittiwake provision")
    else:
        yield Finding("configuration", "ok", f"link {_plain(facts['link'])}")
    if facts["watchdog_s"] and ("error" in system or "WDT" not in system["classes"]):
        yield Finding("watchdog", "wrong", "watchdog_s is set, and the board has none", "leave watchdog_s out")


def _provisioned(facts: dict[str, Any] | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("provisioned", "wrong", facts["error"], "kittiwake provision --forget all, with everything anew")
        return
    groups = {"device": "name", "wifi": "Wi-Fi", "mqtt": "broker"}
    parts = [f"{word} {facts['device']}" if key == "device" else word for key, word in groups.items() if facts.get(key)]
    yield Finding("provisioned", "ok", ", ".join(parts) or "nothing")


def _journal(facts: JournalFacts | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("journal", "wrong", facts["error"], "check the storage of its configuration")
        return
    space = f"{facts['used_bytes'] // 1024} of {facts['limit_bytes'] // 1024} KiB used"
    if facts["problem"]:
        mend = "kittiwake journal pull fetches what is there; then give it a partition of its own, or format it"
        yield Finding("journal", "wrong", f"{facts['state']}: {facts['problem']}; records are in memory only", mend)
        return
    waiting = f"{facts['waiting']} records wait for the gateway"
    if facts["state"] != "ok":
        yield Finding("journal", "note", f"{facts['state']}: {space}, {waiting}", "let a bridge take them")
    else:
        yield Finding("journal", "ok", f"{space}, {waiting}, boot {facts['boots']}")
    lost = sum(facts["evicted"])
    if lost:
        kinds = ", ".join(
            f"{n} {kind}" for n, kind in zip(facts["evicted"], ("raw", "telemetry", "alert"), strict=True)
        )
        yield Finding(
            "records lost", "note", f"dropped before they were acknowledged: {kinds}", "more space, or a link"
        )
    if facts["damaged"]:
        yield Finding(
            "records damaged",
            "wrong",
            f"{facts['damaged']} runs of bytes are no record",
            "the flash may be worn: pull it",
        )


def _channel(facts: ChannelFacts | Failure) -> Iterator[Finding]:
    if "name" not in facts:
        yield Finding("channel", "wrong", facts["error"], "check its wires, pins and settings")
        return
    name, kind = f"channel {facts['name']}", facts["kind"]
    if kind == "link":
        yield Finding(name, "ok", "its samples come over the link; no sensor to ask")
        return
    if "error" in facts and not facts.get("count"):
        others = facts.get("others")
        scan = "" if others is None else f"; on the bus: {', '.join(map(hex, others)) or 'nothing'}"
        yield Finding(name, "wrong", f"{kind}: {facts['error']}{scan}", "check its wires, pins and settings")
        return
    detail = f"{kind}: {facts['count']} samples, {facts['low']} to {facts['high']}"
    if not facts["count"]:
        yield Finding(name, "wrong", f"{kind} gives nothing", "check its wires and pins")
    elif facts["low"] == facts["high"] and facts["count"] >= _CONSTANT_SAMPLES:
        yield Finding(name, "wrong", f"{detail}: always the same", "it is not connected, or the wrong channel or axis")
    elif facts["at_ends"] > _CLIPPED_SHARE * facts["count"]:
        share = facts["at_ends"] / facts["count"]
        yield Finding(name, "note", f"{detail}: {share:.0%} at the ends of the range", "less gain, or a wider range")
    elif facts["overruns"] or facts["bus_errors"]:
        losses = f"{facts['overruns']} lost, {facts['bus_errors']} failed transfers"
        yield Finding(name, "note", f"{detail}: {losses}", "a lower rate, shorter wires, stronger pull-ups")
    elif _is_off_pace(facts):
        rate = facts["in_span"] * 1000 / facts["span_ms"]
        yield Finding(
            name, "note", f"{detail}: {rate:.0f} a second, not {facts['rate_hz']}", "check its rate and the clock"
        )
    else:
        yield Finding(name, "ok", detail)


def _is_off_pace(facts: ChannelFacts) -> bool:
    if not facts["rate_hz"] or facts["span_ms"] < 500:
        return False
    return abs(facts["in_span"] * 1000 / facts["span_ms"] / facts["rate_hz"] - 1) > _RATE_SHARE


def _link(facts: LinkFacts | Failure) -> Iterator[Finding]:
    if "error" in facts:
        yield Finding("link", "wrong", f"the node does not run: {facts['error']}", "mend that, then kittiwake deploy")
    elif facts["answers"]:
        where = "this port" if facts["kind"] == "stdio" else "its link"
        yield Finding("link", "ok", f"{facts['device']} answers on {where}")
    else:
        yield Finding("link", "ok", f"{facts['kind']}: {facts['device']} runs; where its link leads shows at its end")


def _plain(link: object) -> str:
    return link if isinstance(link, str) else json.dumps(link)
