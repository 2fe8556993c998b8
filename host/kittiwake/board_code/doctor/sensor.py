"""A channel's sensor, listened to for a moment."""

import json
from array import array

from kittiwake_node import assembly, kernels
from kittiwake_node.config import check
from kittiwake_node.io import parts
from kittiwake_node.io.clock import Clock


def print_sensor(text, number, span_ms):
    """Print what a channel's source gives, as JSON: samples, their range, losses, or the error and who else is there.

    Args:
        text: the node's configuration, JSON.
        number: of the channel.
        span_ms: how long; longer where that is less than four samples.
    """
    print(json.dumps(_listen(check(json.loads(text)), number, span_ms)))


def _listen(config, number, span_ms):
    channel = config["channels"][number]
    facts = {"name": channel["name"], "kind": channel["source"].get("kind"), "rate_hz": channel["rate_hz"]}
    if facts["kind"] == "link":
        return facts
    try:
        clock = Clock()
        source = parts.make_source(channel, clock)
        source.acts = False
        assembly.arm_source(kernels.load_or_viper(config["kernel"]), channel, source, None, 1)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is what the reader wants to know
        facts["error"] = "%s" % error
        facts["others"] = _scan(channel["source"])
        return facts
    buf = array("h", bytes(256))
    count = ends = first_count = 0
    low, high, first_ms, last_ms = 32767, -32768, None, 0
    start_ms = clock.ms()
    span_ms = max(span_ms, 4000 // max(1, channel["rate_hz"]))
    try:
        while clock.ms() - start_ms < span_ms and not source.ended:
            size = source.read_into(buf)
            if size:
                last_ms = clock.ms()
                count += size
                if first_ms is None:
                    first_ms, first_count = last_ms, size
                for i in range(size):
                    x = buf[i]
                    if x < low:
                        low = x
                    if x > high:
                        high = x
                    if x == source.low or x == source.high:
                        ends += 1
    except Exception as error:  # noqa: BLE001 - as above
        facts["error"] = "%s" % error
    source.close()
    facts.update(
        {
            "count": count,
            "low": low,
            "high": high,
            "at_ends": ends,
            "overruns": source.overruns,
            "bus_errors": source.bus_errors,
            "span_ms": last_ms - first_ms if count else 0,
            "in_span": count - first_count,
        }
    )
    return facts


def _scan(settings):
    """The addresses that answer on the sensor's bus, None where there is no bus."""
    if "i2c" not in settings:
        return None
    try:
        from kittiwake_node.io import sensors

        return list(sensors.make_bus(settings["i2c"]).controller.scan())
    except Exception:  # noqa: BLE001 - a bus that cannot be made has nobody on it
        return None
