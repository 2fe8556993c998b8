"""What a window is measured with: devices that do not exist, and a year of their past. It knows no browser."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from kittiwake.history.row import read
from kittiwake.history.stores import open_store

YEAR_MINUTES = 525_600
_BATCH = 5000


def summary(device: str, seq: int, ts_ms: int) -> tuple[str, bytes]:
    """Make a message as a bridge publishes it.

    Args:
        device: its id.
        seq: number of the record.
        ts_ms: UTC.
    """
    low, high = 900 + seq % 7, 1100 + seq % 11
    n, mean = 100, (low + high) / 2
    ts = datetime.fromtimestamp(ts_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ts_ms % 1000:03d}Z"
    total = round(n * mean)
    body = {
        "sensor_id": "vib", "unit": "mm/s", "ts": ts, "mean": mean / 100, "stdev": 0.25, "low": low / 100,
        "high": high / 100, "n": n, "s": total, "q": n * round(mean * mean + 625), "min": low, "max": high,
        "anomalies": 0, "clipped": 0, "index": seq * n, "scale": "1/100", "offset": "0/1", "device": device,
        "journal": "00000000000000aa", "seq": seq, "boot": 1, "uptime_ms": seq * 1000, "kind": "summary",
        "channel": "vibration",
    }  # fmt: skip
    return f"kittiwake/{device}/summary/vibration", json.dumps(body).encode()


def write_year(path: Path, minutes: int) -> None:
    """Write a device's minutes, up to now, into a history.

    Args:
        path: of its file.
        minutes: how many.
    """
    store, now_ms = open_store(str(path)), time.time_ns() // 1_000_000
    first_ms = now_ms - minutes * 60_000
    for at in range(0, minutes, _BATCH):
        batch = (summary("device-0", seq, first_ms + seq * 60_000) for seq in range(at, min(at + _BATCH, minutes)))
        store.write([read(*message) for message in batch], now_ms)
    store.close()


class Load(threading.Thread):
    """Devices of a made fleet: a summary each a second, evenly over it.

    Args:
        port: of the broker.
        count: of devices.
    """

    def __init__(self, port: int, count: int):
        super().__init__(daemon=True)
        self._count, self._must_end = count, threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        for number in range(count):
            self._client.publish(f"kittiwake/device-{number}/status", b"online", 1, retain=True)

    def run(self) -> None:
        """Publish until stopped."""
        began_s, sent, seq0 = time.monotonic(), 0, YEAR_MINUTES
        while not self._must_end.wait(max(0.0, began_s + sent / self._count - time.monotonic())):
            round_, number = divmod(sent, self._count)
            message = summary(f"device-{number}", seq0 + round_, time.time_ns() // 1_000_000)
            self._client.publish(*message, qos=1)
            sent += 1

    def stop(self) -> None:
        """Publish no more."""
        self._must_end.set()
        self.join()
        self._client.disconnect()
        self._client.loop_stop()
