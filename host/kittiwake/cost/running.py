"""What a running bridge sends: two readings of its /metrics, some time apart."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from kittiwake.cost.traffic import Traffic
from kittiwake.errors import KittiwakeError, UsageError

_TIMEOUT_S = 10
_LIMIT_BYTES = 16 << 20
# Counters of a bridge, over all of its devices.
_SAMPLES, _BYTES, _MESSAGES = (
    "kittiwake_device_samples_total",
    "kittiwake_device_published_bytes_total",
    "kittiwake_device_records_published_total",
)


@dataclass(frozen=True)
class Measured:
    """Between two readings.

    Args:
        samples: that devices judged.
        traffic: what the bridge published.
    """

    samples: int
    traffic: Traffic


def measure(url: str, seconds: float, fetch: Callable[[str], str], wait: Callable[[float], None]) -> Measured:
    """Read a bridge's figures twice.

    Args:
        url: of /metrics.
        seconds: between the readings.
        fetch: gets the text of a URL.
        wait: waits for so long.

    Returns:
        What came between.

    Raises:
        UsageError: no health record came in that time, so nobody knows how many samples there were; or a device or the
            bridge began anew.
    """
    first = _sums(fetch(url))
    begin = time.monotonic()
    wait(seconds)
    last = _sums(fetch(url))
    took_s = max(time.monotonic() - begin, seconds)
    grown = {name: last[name] - first[name] for name in first}
    if any(value < 0 for value in grown.values()):
        raise UsageError("a device or the bridge began anew in that time", "measure again")
    if not grown[_SAMPLES]:
        raise UsageError(f"no device told of samples in {seconds:g} s", "measure for longer: --seconds")
    return Measured(int(grown[_SAMPLES]), Traffic(int(grown[_MESSAGES]), int(grown[_BYTES]), took_s))


def fetch_text(url: str) -> str:
    """Get a page.

    Args:
        url: http:// or https://.

    Returns:
        Its text.

    Raises:
        UsageError: it is no such URL.
        KittiwakeError: it cannot be had.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is no page", "name a bridge's, such as http://127.0.0.1:9108/metrics")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as reply:
            return str(reply.read(_LIMIT_BYTES).decode())
    except (OSError, ValueError) as error:
        raise KittiwakeError(f"{url}: {getattr(error, 'reason', error)}") from error


def _sums(text: str) -> dict[str, float]:
    sums = dict.fromkeys((_SAMPLES, _BYTES, _MESSAGES), 0.0)
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name in sums:
                    sums[sample.name] += sample.value
    except ValueError as error:
        raise KittiwakeError(f"the page is no exposition of figures: {error}") from error
    return sums
