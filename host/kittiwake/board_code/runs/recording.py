"""Samples of a channel's source, as they come.

A source of kind "timer" judges and acts in its interrupt; here it only takes samples. A reading is printed in lines of
base 64, and the last line says why it ended. What was read in the same call as an overrun was noticed may come from
behind the gap, so it is left out.
"""

import binascii
import gc
import json
from array import array

from kittiwake_node.config import check
from kittiwake_node.errors import ConfigError


def check_config(text):
    """Check a node's configuration, keep it for `take_samples`, and print its device id and channels as JSON.

    A refusal is printed as "!" with its code and detail.

    Args:
        text: of it, JSON.
    """
    global _config
    try:
        _config = check(json.loads(text))
    except ConfigError as error:
        print("!", error.code, error.detail)
        return
    print(json.dumps([_config["device"], _config["channels"]]))


def _print_samples(words, count):
    print(str(binascii.b2a_base64(memoryview(words)[:count]), "ascii").strip())


def _fill(source, buf, start, stop, only_late):
    """Read up to `stop`. Gives where it ended, and whether samples were lost before."""
    while start < stop and not source.ended:
        size = source.read_into(memoryview(buf)[start:stop])
        if source.overruns and not only_late:
            return start, True
        start += size
        if not size:
            return start, False
    return start, False


def take_samples(number, total, batch):
    """Take samples, in memory where it holds them all, else printed while they come.

    Args:
        number: of the channel.
        total: samples to take.
        batch: samples a line.
    """
    from kittiwake_node import assembly, kernels
    from kittiwake_node.io import parts
    from kittiwake_node.io.clock import Clock

    channel = _config["channels"][number]
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
    try:
        source = parts.make_source(channel, clock)
        source.acts = False
        assembly.arm_source(kernels.load_or_viper(_config["kernel"]), channel, source, None, 1)
    except ConfigError as error:
        print("!", error.code, error.detail)
        return
    print("memory" if room > batch else "stream")
    count = held = seen = since_ms = 0
    gap = silent = False
    patience_ms = 2000 + 3000 // max(1, channel["rate_hz"])
    try:
        while count + held < total and not (gap or silent or source.ended):
            held, gap = _fill(source, buf, held, min(room, total - count), only_late)
            if count + held > seen:
                seen, since_ms = count + held, clock.ms()
            silent = clock.ms() - since_ms >= patience_ms
            if room == batch and (held == room or gap):
                _print_samples(buf, held)
                count += held
                held = 0
    except KeyboardInterrupt:
        pass
    source.close()
    for at in range(0, held, batch):
        _print_samples(memoryview(buf)[at : at + batch], min(batch, held - at))
    whole = seen == total
    print("done" if whole else "gap" if gap else "ended" if source.ended else "silent" if silent else "interrupted")
