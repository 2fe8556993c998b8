"""Facts about a board, each asked for by itself, so that one that cannot be had does not keep the others from being.

Knows code that runs at a board's prompt and what it prints; judges nothing. Between groups of questions the board is
rebooted: a small heap does not hold everything that is asked with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kittiwake.deploy import application
from kittiwake.deploy.slots import NAMES, Slots
from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.ports import survey
from kittiwake.target.base import Target

_PROBES = ("tls", "ssl", "network", "bluetooth", "machine")
_CLASSES = ("ADC", "I2C", "I2S", "Pin", "RTC", "SPI", "Timer", "UART", "WDT")
_EMITTERS = (("viper", "x: int) -> int:\n return x"), ("asm_thumb", "):\n nop()"), ("asm_rv32", "):\n nop()"))
_CLOCK_S = 2.0
_SENSOR_MS = 1000
_LINK_S = 30.0
_SYSTEM = f"""
import gc, json, os, sys
gc.collect()
_kw = {{"heap_bytes": gc.mem_free() + gc.mem_alloc(), "has": [], "classes": []}}
for _kw_name in {_PROBES!r}:
    try:
        __import__(_kw_name)
        _kw["has"].append(_kw_name)
    except ImportError:
        pass
if "machine" in _kw["has"]:
    import machine
    _kw["classes"] = [name for name in {_CLASSES!r} if hasattr(machine, name)]
try:
    import vfs as _kw_vfs
except ImportError:
    _kw_vfs = os
_kw["littlefs"] = hasattr(_kw_vfs, "VfsLfs2")
_kw["romfs"] = hasattr(_kw_vfs, "rom_ioctl")
try:
    _kw_stat = os.statvfs("/")
    _kw["flash_bytes"], _kw["flash_free_bytes"] = _kw_stat[1] * _kw_stat[2], _kw_stat[1] * _kw_stat[3]
except (AttributeError, OSError):
    pass
for _kw_name, _kw_body in {_EMITTERS!r}:
    try:
        exec("import micropython\\n@micropython." + _kw_name + "\\ndef _kw_f(" + _kw_body)
        _kw["has"].append(_kw_name)
    except (SyntaxError, AttributeError, NotImplementedError, ValueError):
        pass
print(json.dumps(_kw))
"""
# Ports count seconds from 1970 or from 2000, and some have no calendar. A clock that nobody set is in the past.
_UTC = """
import json, time as _kw_time
def _kw_utc():
    if not hasattr(_kw_time, "gmtime") or _kw_time.gmtime()[0] < 2024:
        return None
    return _kw_time.time() + (946684800 if _kw_time.gmtime(0)[0] == 2000 else 0)
"""
_MACHINE = """
from kittiwake_node.io import machine_facts as _kw_m
import json
print(json.dumps([_kw_m.unique_id(), _kw_m.reset_cause_name()]))
"""
_CONFIG = """
import json, os
from kittiwake_node import node as _kw_n
from kittiwake_node.io import provisioned as _kw_p
_kw_c = _kw_p.lay_over(json.loads({text!r}))
def _kw_missing(table):
    found = []
    for name in table:
        if name.endswith("_file") and table[name]:
            try:
                os.stat(table[name])
            except OSError:
                found.append(table[name])
    return found
_kw_absent = []
for _kw_name in ("wifi", "mqtt"):
    if isinstance(_kw_c.get(_kw_name), dict):
        _kw_absent += _kw_missing(_kw_c[_kw_name])
print(json.dumps([_kw_n.refusal(_kw_c), _kw_absent]))
"""
_JOURNAL = """
import json
from kittiwake_node.io import machine_facts, parts
from kittiwake_node.keeping import Keeping
_kw_k = Keeping(lambda: parts.make_storage({storage!r}), parts.make_memory, machine_facts.random_u64)
_kw_j = _kw_k.journal
print(json.dumps({{
    "state": _kw_k.state, "problem": str(_kw_k.problem) if _kw_k.problem else "", "boots": _kw_j.state.boot,
    "waiting": _kw_j.next_seq - _kw_j.acked, "next_seq": _kw_j.next_seq, "damaged": _kw_j.damaged,
    "evicted": list(_kw_j.evicted), "used_bytes": _kw_j.used_bytes, "limit_bytes": _kw_j.limit_bytes,
}}))
"""
_SENSOR = """
import gc, json
from array import array
from kittiwake_node import assembly, kernels
from kittiwake_node.config import check
from kittiwake_node.io import parts
from kittiwake_node.io.clock import Clock
def _kw_listen(config, number, span_ms):
    config = check(json.loads(config))
    channel = config["channels"][number]
    told = {"name": channel["name"], "kind": channel["source"].get("kind"), "rate_hz": channel["rate_hz"]}
    if told["kind"] == "link":
        return told
    try:
        clock = Clock()
        source = parts.make_source(channel, clock)
        source.acts = False
        assembly.arm_source(kernels.load(config["kernel"]), channel, source, None, 1)
    except Exception as error:
        told["error"] = "%s" % error
        told["others"] = _kw_scan(channel["source"])
        return told
    buf = array("h", bytes(256))
    count = ends = first_count = 0
    low, high, first_ms, last_ms = 32767, -32768, None, 0
    start_ms = clock.ms()
    span_ms = max(span_ms, 4000 // max(1, channel["rate_hz"]))
    try:
        while clock.ms() - start_ms < span_ms and not source.ended:
            got = source.read_into(buf)
            if got:
                last_ms = clock.ms()
                count += got
                if first_ms is None:
                    first_ms, first_count = last_ms, got
                for i in range(got):
                    x = buf[i]
                    if x < low:
                        low = x
                    if x > high:
                        high = x
                    if x == source.low or x == source.high:
                        ends += 1
    except Exception as error:
        told["error"] = "%s" % error
    source.close()
    told.update({
        "count": count, "low": low, "high": high, "at_ends": ends, "overruns": source.overruns,
        "bus_errors": source.bus_errors,
        "span_ms": last_ms - first_ms if count else 0, "in_span": count - first_count,
    })
    return told
def _kw_scan(given):
    if "i2c" not in given:
        return None
    try:
        from kittiwake_node.io import sensors
        return list(sensors.make_bus(given["i2c"]).controller.scan())
    except Exception:
        return None
"""


def ask(board: Target, is_port: bool, given: dict | None, progress: Callable[[str], None]) -> dict:
    """Ask a board everything; its node, when it is on a port, runs again afterwards.

    Args:
        board: started, at its prompt.
        is_port: whether it is a board on a port, whose node is to be started in the end and asked on its link.
        given: a node's configuration to try in place of the one on the board; None for that.
        progress: told one line at a time.

    Returns:
        system, clock, application, configuration, provisioned, journal, channels, link: each what was found, or
        {"error": ...}; those that depend on something that is not there are left out.
    """
    progress("asking the system")
    facts: dict = {"system": _of(lambda: {**board.facts(), **json.loads(board.exec(_SYSTEM))})}
    facts["clock"] = _of(lambda: _clock(board))
    progress("looking at the application")
    facts["application"] = installed = _of(lambda: _application(board))
    kept = installed.pop("config", None)
    config = given or kept
    facts["configuration"] = None
    if config is not None and "error" not in installed:
        config = {**board.node_overrides(), **config}
        facts["configuration"] = _of(lambda: _configuration(board, config))
        facts["provisioned"] = _of(lambda: _provisioned(board))
        progress("opening the journal")
        facts["journal"] = _of(lambda: _fresh(board, _JOURNAL.format(storage=config.get("storage", {}))))
        if not facts["configuration"].get("refused"):
            facts["channels"] = []
            for number in range(len(config["channels"])):
                progress(f"listening to channel {number}")
                facts["channels"].append(_of(lambda number=number: _sensor(board, config, number)))
    if is_port and facts["configuration"] is not None:
        progress("starting the node")
        facts["link"] = _of(lambda: _link(board, config))
    return facts


def _of(question: Callable[[], dict]) -> dict:
    try:
        return question()
    except TargetError as error:
        last = error.traceback.strip().splitlines()[-1] if error.traceback else error.message
        return {"error": last}
    except KittiwakeError as error:
        return {"error": str(error)}


def _clock(board: Target) -> dict:
    """How far the board's milliseconds run from this machine's, and whether it knows the time of day."""
    board.exec(_UTC)
    before = _ticks(board)
    while time.monotonic() - before[0] < _CLOCK_S:
        time.sleep(0.05)
    after = _ticks(board)
    seconds = (after[1] - before[1] & 0x3FFFFFFF) / 1000
    passed = (after[0] + after[2]) / 2 - (before[0] + before[2]) / 2
    doubt = ((after[2] - after[0]) + (before[2] - before[0])) / 2 + 0.001
    utc_s = json.loads(board.exec("print(json.dumps(_kw_utc()))"))
    return {
        "ppm": round((seconds / passed - 1) * 1e6),
        "doubt_ppm": round(doubt / passed * 1e6),
        "off_s": None if utc_s is None else round(utc_s - datetime.now(UTC).timestamp()),
    }


def _ticks(board: Target) -> tuple[float, int, float]:
    """(this machine's clock before, the board's ticks, this machine's clock after)."""
    start = time.monotonic()
    ticks = int(board.exec("print(_kw_time.ticks_ms())"))
    return start, ticks, time.monotonic()


def _application(board: Target) -> dict:
    slots = Slots(board)
    sizes = {name: slots.size(name) for name in NAMES}
    try:
        found = application.find(board)
    except KittiwakeError as error:
        return {"error": error.message, "sizes": sizes}
    told = {"slot": found.slot, "version": found.version, "sizes": sizes, "config": found.config}
    told["unique_id"], told["reset_cause"] = json.loads(board.exec(_MACHINE))
    return told


def _configuration(board: Target, config: dict) -> dict:
    board.reboot()
    application.find(board)
    refused, absent = json.loads(board.exec(_CONFIG.format(text=json.dumps(config)), 60.0))
    link = config.get("link", "stdio")
    return {"refused": refused, "absent": absent, "link": link, "watchdog_s": config.get("watchdog_s", 0)}


def _provisioned(board: Target) -> dict:
    from kittiwake.deploy import provision

    return provision.read(board)


def _fresh(board: Target, code: str) -> dict:
    board.reboot()
    application.find(board)
    return json.loads(board.exec(code, 120.0))


def _sensor(board: Target, config: dict, number: int) -> dict:
    board.reboot()
    application.find(board)
    board.exec(_SENSOR)
    return json.loads(
        board.exec(f"print(json.dumps(_kw_listen({json.dumps(config)!r}, {number}, {_SENSOR_MS})))", 60.0)
    )


def _link(board: Target, config: dict) -> dict:
    board.reboot()
    application.start_again(board)
    link = config.get("link", "stdio")
    kind = link.get("kind") if isinstance(link, dict) else link.partition(":")[0]
    if kind != "stdio":
        return {"kind": kind}
    deadline = time.monotonic() + _LINK_S
    while True:
        found = survey.ask_port(board.link_port)
        # At its prompt, the node has ended.
        if found.state in ("node", "micropython") or time.monotonic() > deadline:
            return {"kind": kind, "state": found.state, "detail": found.detail}
