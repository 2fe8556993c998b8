"""Prometheus's rules for names and texts, held against an exposition."""

import re

# Source: prometheus.io, "Metric and label naming" and "Writing exporters"; what promtool complains of.
_UNITS = {
    "days",
    "hours",
    "minutes",
    "milliseconds",
    "ms",
    "us",
    "ns",
    "kb",
    "mb",
    "kib",
    "mib",
    "kilobytes",
    "percent",
}
_TYPES = {"counter", "gauge", "histogram", "summary"}
_RESERVED = ("_total", "_count", "_sum", "_bucket")
# An operator asks for days, and an alarm is set in them.
IN_DAYS = "kittiwake_certificate_days_left"


def complaints(raw):
    """What of an exposition is against the rules; names are ours, or what every process says of itself."""
    found, lines = [], raw.decode().splitlines()
    types = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE"))
    helps = {line.split(" ", 3)[2]: line.split(" ", 3)[3:] for line in lines if line.startswith("# HELP")}
    series = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    found += [f"{name}: twice" for name in sorted({name for name in series if series.count(name) > 1})]
    for name in {line.partition("{")[0] for line in series}:
        base = re.sub("_(bucket|count|sum)$", "", name)
        name = base if types.get(base) == "histogram" else name
        found += [f"{name}: no type"] * (name not in types)
    for name, kind in types.items():
        found += [f"{name}: no help"] * (not "".join(helps.get(name, [])))
        found += [f"{name}: not in lower case"] * (not re.fullmatch(r"(kittiwake|process)(_[a-z0-9]+)+", name))
        found += [f"{name}: a counter without _total"] * (kind == "counter" and not name.endswith("_total"))
        found += [f"{name}: reserved"] * (kind != "counter" and name.endswith(_RESERVED))
        words = set(name.split("_"))
        found += [f"{name}: unit {unit}" for unit in sorted(words & _UNITS) if name != IN_DAYS]
        found += [f"{name}: a type in its name" for _ in words & _TYPES]
    return found
