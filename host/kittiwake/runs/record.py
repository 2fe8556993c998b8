"""Samples of a board's sensor or microphone, as its firmware takes them, without a gap.

Knows targets and the firmware's sources; not how a recording is kept (signals/files.py).
"""

from __future__ import annotations

import binascii
import json
import sys
from array import array
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from fractions import Fraction

from kittiwake.errors import ConfigError, KittiwakeError, TargetError
from kittiwake.signals.recording import Recording
from kittiwake.target.base import Target

_IDLE_S = 20.0
_BATCH = 128  # samples a line
_PREPARE = """
import json
from kittiwake_node.config import check
_kw_config = check(json.loads({text!r}))
print(json.dumps([_kw_config["device"], _kw_config["channels"]]))
"""
# A source of kind "timer" judges and acts in its interrupt; here it only takes samples. A reading is printed in lines
# of base64, and the last line says why it ended. What was read in the same call as an overrun was noticed may come from
# behind the gap, so it is left out.
_AGENT = """
import binascii, gc
from array import array
from kittiwake_node import assembly, kernels
from kittiwake_node.io import parts
from kittiwake_node.io.clock import Clock
def _kw_print(words, count):
    print(str(binascii.b2a_base64(memoryview(words)[:count]), "ascii").strip())
def _kw_fill(source, buf, start, stop, only_late):
    got = 1
    while start < stop and not source.ended:
        got = source.read_into(memoryview(buf)[start:stop])
        if source.overruns and not only_late:
            return start, True
        start += got
        if not got:
            return start, False
    return start, False
def _kw_take(config, number, total, batch):
    channel = config["channels"][number]
    only_late = channel["source"]["kind"] in ("replay", "wav")
    gc.collect()
    room = batch
    if 4 * total <= gc.mem_free():
        try:
            buf = array("h", bytes(2 * total))
            room = total
        except MemoryError:
            pass
    if room == batch:
        buf = array("h", bytes(2 * batch))
    clock = Clock()
    source = parts.make_source(channel, clock)
    source.acts = False
    assembly.arm_source(kernels.load(config["kernel"]), channel, source, None, 1)
    print("memory" if room > batch else "stream")
    count = held = seen = since_ms = 0
    gap = silent = False
    patience_ms = 2000 + 3000 // max(1, channel["rate_hz"])
    try:
        while count + held < total and not (gap or silent or source.ended):
            held, gap = _kw_fill(source, buf, held, min(room, total - count), only_late)
            if count + held > seen:
                seen, since_ms = count + held, clock.ms()
            silent = clock.ms() - since_ms >= patience_ms
            if room == batch and (held == room or gap):
                _kw_print(buf, held)
                count += held
                held = 0
    except KeyboardInterrupt:
        pass
    source.close()
    for at in range(0, held, batch):
        _kw_print(memoryview(buf)[at : at + batch], min(batch, held - at))
    whole = seen == total
    print("done" if whole else "gap" if gap else "ended" if source.ended else "silent" if silent else "interrupted")
"""
# How the board's last line ends a recording, and what that says to its reader.
_WHY = {
    "done": "",
    "silent": "the sensor gives nothing: check its wires and pins",
    "gap": "samples were lost: console or bus is too slow for the rate; record for fewer seconds, which are kept in "
    "memory, or over the board's own USB",
    "ended": "its source ended",
    "interrupted": "it was interrupted",
}


def record(
    board: Target,
    config: dict,
    channel: str = "0",
    seconds: float = 10.0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Recording:
    """Record from one channel; the recording ends at the first gap, when there is one.

    Short ones are kept in the board's memory until they are whole, so that a slow console cannot make a gap; longer
    ones are sent while they are made. An interrupt (KeyboardInterrupt) ends a recording that is sent.

    Args:
        board: started, the firmware's modules importable.
        config: of the node.
        channel: name or number of one.
        seconds: how long; by the channel's rate, and as at 1 kHz where nothing paces it.
        progress: told (samples got, samples to get).

    Raises:
        ConfigError: the configuration; there is no such channel; its source cannot be recorded.
        TargetError: of the board.
    """
    device, channels = _checked(board, config)
    number = _number(channels, channel)
    chosen = channels[number]
    if chosen["source"].get("kind") == "link":
        raise ConfigError(
            f"channel {chosen['name']} has no sensor: its samples come over the link", "record what sends them"
        )
    total = max(1, round(seconds * (chosen["rate_hz"] or 1000)))
    samples, started, end = array("h"), datetime.now(UTC), "interrupted"
    board.exec(_AGENT)
    try:
        with closing(
            board.exec_lines(f"_kw_take(_kw_config, {number}, {total}, {_BATCH})", _patience_s(seconds))
        ) as lines:
            for line in lines:
                if line in _WHY:
                    end = line
                elif line in ("memory", "stream"):
                    started = datetime.now(UTC)
                else:
                    samples.frombytes(_unpacked(line))
                    progress(len(samples), total)
    except KeyboardInterrupt:
        pass
    except TargetError as error:
        raise _explained(error) from error
    if sys.byteorder == "big":
        samples.byteswap()
    return Recording(
        samples,
        device,
        chosen["name"],
        chosen["rate_hz"],
        Fraction(chosen["scale"]),
        Fraction(chosen["offset"]),
        chosen["unit"],
        started,
        end == "done",
        _WHY[end],
    )


def _checked(board: Target, config: dict) -> tuple[str, list[dict]]:
    try:
        return tuple(json.loads(board.exec(_PREPARE.format(text=json.dumps(config)))))
    except TargetError as error:
        raise _explained(error) from error


def _explained(error: TargetError) -> KittiwakeError:
    """The firmware's own ConfigError as ours; others as they are."""
    last = error.traceback.strip().splitlines()[-1] if error.traceback else ""
    name, _, why = last.partition(": ")
    return ConfigError(why) if name.endswith("ConfigError") else error


def _number(channels: list[dict], name: str) -> int:
    for number, channel in enumerate(channels):
        if channel["name"] == name:
            return number
    if name.isdecimal() and int(name) < len(channels):
        return int(name)
    raise ConfigError(f"there is no channel {name}", f"there are: {', '.join(c['name'] for c in channels)}")


def _patience_s(seconds: float) -> float:
    """Until a line must have come: a recording that is kept in memory says nothing meanwhile."""
    return _IDLE_S + 2 * seconds


def _unpacked(line: str) -> bytes:
    try:
        return binascii.a2b_base64(line, strict_mode=True)
    except binascii.Error as error:
        raise TargetError("the console garbled a line of samples", "record again, over a better cable") from error
