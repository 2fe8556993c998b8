"""A subscriber in a process of its own that writes down every message as it arrives: the witness of what was delivered.

It shares no code with the bridge but paho, and does not know what the messages mean.

    python -m kittiwake.demo.ledger --broker mqtt://127.0.0.1:1883 --topic '#' --out FILE.jsonl

prints `ready` when it is subscribed. A line of the file is one arrival:

    {"wall_ns", "monotonic_ns", "topic", "qos", "retain", "dup", "packet_bytes", "payload" or "payload_base64"}
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kittiwake.target.child import Child, end_with_parent

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

_QOS = 1


class LedgerProcess:
    """A ledger for as long as the context lasts; entered, it is subscribed.

    Args:
        broker_url: `mqtt://host:port`.
        topics: filters, as MQTT has them.
        path: file to write; made new, or appended to where it is there.
        client_id: names the session at the broker; a random one when None.
        timeout_s: seconds within which it must have subscribed.
    """

    def __init__(
        self,
        broker_url: str,
        topics: Sequence[str],
        path: str | Path,
        client_id: str | None = None,
        timeout_s: float = 20.0,
    ):
        self.path = Path(path)
        self._timeout_s = timeout_s
        self._arguments = ["--broker", broker_url, "--out", str(path)]
        for topic in topics:
            self._arguments += ["--topic", topic]
        if client_id is not None:
            self._arguments += ["--client-id", client_id]
        self.child: Child | None = None

    def __enter__(self) -> LedgerProcess:
        self.child = Child("kittiwake.demo.ledger", self._arguments, "the ledger", self._timeout_s)
        return self

    def __exit__(self, *_: object) -> None:
        if self.child is not None:
            self.child.stop()

    def read(self) -> list[dict[str, Any]]:
        """Give the arrivals written so far; a line still being written is left out."""
        text = self.path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def publish_packet_bytes(topic: str, payload_bytes: int, qos: int) -> int:
    """Size of an MQTT 3.1.1 PUBLISH packet.

    Args:
        topic: as published.
        payload_bytes: length of the payload.
        qos: 0 has no packet identifier.

    Returns:
        Bytes: fixed header, remaining length (7 bits a byte), topic with its length, identifier, payload.
        Source: MQTT 3.1.1, sections 2.2 and 3.3.
    """
    remaining = 2 + len(topic.encode()) + (2 if qos else 0) + payload_bytes
    return 1 + max(1, -(-remaining.bit_length() // 7)) + remaining


def entry(
    topic: str, payload: bytes, qos: int, retain: bool, dup: bool, wall_ns: int, monotonic_ns: int
) -> dict[str, Any]:
    """Make the line for one arrival.

    Args:
        topic: as received.
        payload: as received.
        qos: as received.
        retain: as received.
        dup: as received.
        wall_ns: UTC when it came.
        monotonic_ns: this machine's monotonic clock when it came.

    Returns:
        JSON-ready.
    """
    line: dict[str, Any] = {
        "wall_ns": wall_ns,
        "monotonic_ns": monotonic_ns,
        "topic": topic,
        "qos": qos,
        "retain": retain,
        "dup": dup,
        "packet_bytes": publish_packet_bytes(topic, len(payload), qos),
    }
    try:
        line["payload"] = payload.decode()
    except UnicodeDecodeError:
        line["payload_base64"] = base64.b64encode(payload).decode()
    return line


def main(argv: Sequence[str] | None = None) -> int:
    """Subscribe and write until stdin ends; reconnects for ever.

    Args:
        argv: the command line; the process's own when None.

    Returns:
        0 when stdin ended, 1 when the file cannot be written.
    """
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    parser = argparse.ArgumentParser(prog="python -m kittiwake.demo.ledger")
    parser.add_argument("--broker", required=True, help="mqtt://host:port")
    parser.add_argument("--topic", action="append", required=True, help="a filter; may be repeated")
    parser.add_argument("--out", required=True, help="file of JSON lines")
    parser.add_argument("--client-id", default=f"kittiwake-ledger-{secrets.token_hex(6)}")
    options = parser.parse_args(argv)
    url = urlsplit(options.broker)
    address = (url.hostname or "", url.port or 1883)
    failures: list[OSError] = []
    ended = threading.Event()

    with open(options.out, "a", encoding="utf-8") as out:

        def on_connect(
            client: paho.Client,
            userdata: object,
            flags: paho.ConnectFlags,
            reason: ReasonCode,
            properties: Properties | None,
        ) -> None:
            # Again after every reconnect: a broker that kept no session on disk has forgotten us.
            if reason.is_failure:
                print(f"{options.broker} refuses us: {reason}", file=sys.stderr, flush=True)
            else:
                client.subscribe([(topic, _QOS) for topic in options.topic])

        def on_connect_fail(client: paho.Client, userdata: object) -> None:
            print(f"nothing answers at {options.broker}", file=sys.stderr, flush=True)

        def on_subscribe(
            client: paho.Client,
            userdata: object,
            message_id: int,
            reasons: list[ReasonCode],
            properties: Properties | None,
        ) -> None:
            refused = [topic for topic, reason in zip(options.topic, reasons, strict=False) if reason.is_failure]
            print("ready" if not refused else f"refused {refused}", flush=True)

        def on_message(client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
            wall_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            line = entry(
                message.topic, bytes(message.payload), message.qos, message.retain, message.dup, wall_ns, monotonic_ns
            )
            try:
                out.write(json.dumps(line) + "\n")
                out.flush()
            except OSError as error:
                failures.append(error)
                ended.set()
                client.disconnect()
                return
            client.ack(message.mid, message.qos)  # only what is written is taken

        # A session that outlives connections: what arrives while we are cut off is queued, not missed.
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=options.client_id, clean_session=False, manual_ack=True
        )
        client.on_connect, client.on_connect_fail = on_connect, on_connect_fail
        client.on_subscribe, client.on_message = on_subscribe, on_message
        client.reconnect_delay_set(0.1, 1)  # type: ignore[arg-type]  # paho takes fractions, its stub says int

        def end() -> None:
            ended.set()
            client.disconnect()

        end_with_parent(end)
        client.connect_async(*address)
        client.loop_start()
        ended.wait()
        client.loop_stop()
    if failures:
        print(f"{options.out} cannot be written: {failures[0]}", file=sys.stderr)
        return 1
    _forget(address, options.client_id)
    return 0


def _forget(address: tuple[str, int], client_id: str) -> None:
    """Remove our session from the broker, which would queue for us for ever."""
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    try:
        client.connect(*address)
        client.disconnect()
    except OSError:
        pass  # the broker went first


if __name__ == "__main__":
    sys.exit(main())
