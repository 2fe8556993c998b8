"""What a hostile broker may say to a board that speaks MQTT itself: scripts by name, and who plays them.

A step is bytes to send, ACCEPT (CONNACK after CONNECT), PACKET (read one), RESET, or seconds to wait. At its end the
broker waits until the board has had enough, for a short time, and closes.
"""

import asyncio
import json
import random
import socket
import struct

ACCEPT, PACKET, RESET = "accept", "packet", "reset"
PATIENCE_S = 0.7
CONNACK = b"\x20\x02\x00\x00"
_UNUSED_IDS = range(40_000, 43_000)  # of no record that there is, and of nothing else
_GARBAGE = random.Random(21).randbytes(10_000)


def command(payload, packet_id=7, qos=1, topic=None):
    """A PUBLISH of a command; DEVICE in its topic is put in when it is played."""
    return lambda device: _publish((topic or f"kittiwake/{device}/cmd").encode(), payload, packet_id, qos)


def _publish(topic, payload, packet_id, qos):
    body = struct.pack(">H", len(topic)) + topic + (struct.pack(">H", packet_id) if qos else b"") + payload
    return bytes([0x30 | qos << 1]) + _length(len(body)) + body


def _length(size):
    out = b""
    while size > 127:
        out += bytes([size & 127 | 128])
        size >>= 7
    return out + bytes([size])


def _pings(count):
    return [command(json.dumps({"id": f"c{n}", "op": "ping", "text": "x" * 200}).encode(), n + 1) for n in range(count)]


SCRIPTS = {
    "closes at once": [],
    "closes after CONNECT": [PACKET],
    "closes after CONNACK": [ACCEPT, RESET],
    "closes after a record": [ACCEPT, PACKET, PACKET, PACKET, RESET],
    "says half of CONNACK": [PACKET, CONNACK[:3]],
    "says CONNACK byte by byte": [PACKET, *(piece for byte in CONNACK for piece in (bytes([byte]), 0.1))],
    "refuses with a code that there is not": [PACKET, b"\x20\x02\x00\xc8"],
    "says an empty CONNACK": [PACKET, b"\x20\x00"],
    "speaks MQTT 5": [PACKET, b"\x20\x06\x00\x00\x03\x21\x00\x05"],
    "accepts twice": [ACCEPT, CONNACK],
    "accepts and refuses": [ACCEPT, b"\x20\x02\x00\x05"],
    "confirms before it accepts": [PACKET, b"\x40\x02\x00\x01"],
    "gives a length of five bytes": [ACCEPT, b"\x40\xff\xff\xff\xff\x7f"],
    "promises 256 MB and sends a little": [ACCEPT, b"\x30\xff\xff\xff\x7f", bytes(100_000)],
    "confirms with 2 MB": [ACCEPT, b"\x40\x80\x80\x80\x01", bytes(2_097_152)],
    "confirms nothing that was sent": [ACCEPT, b"".join(struct.pack(">BBH", 0x40, 2, i) for i in _UNUSED_IDS)],
    "confirms id 0": [ACCEPT, b"\x40\x02\x00\x00" * 100],
    "confirms in one byte": [ACCEPT, b"\x40\x01\x05"],
    "refuses the subscription": [ACCEPT, b"\x90\x03\xfd\xea\x80"],
    "answers the subscription with nothing": [ACCEPT, b"\x90\x02\xfd\xea"],
    "answers pings that there were not": [ACCEPT, b"\xd0\x00" * 5000],
    "sends packets without a type": [ACCEPT, b"\x00\x00\x00\x00"],
    "sends packets of the last type": [ACCEPT, b"\xf0\x00"],
    "speaks as a client does": [ACCEPT, b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", b"\xc0\x00", b"\xe0\x00"],
    "goes on as for QoS 2": [ACCEPT, PACKET, b"\x50\x02\x00\x01\x70\x02\x00\x01\x62\x02\x00\x01"],
    "sends a command at QoS 2": [ACCEPT, command(b"{}", qos=2)],
    "sends a command at QoS 3": [ACCEPT, command(b"{}", qos=3)],
    "sends a topic longer than its packet": [ACCEPT, b"\x32\x04\xff\xffab"],
    "sends an empty message": [ACCEPT, b"\x30\x00\x32\x00"],
    "sends what was not subscribed to": [ACCEPT, *[command(b"x" * 500, n + 1, topic="other/cmd") for n in range(50)]],
    "sends a flow of commands": [ACCEPT, *_pings(300)],
    "sends one command again and again": [ACCEPT, *_pings(1) * 300],
    "sends commands of id 0": [ACCEPT, *[command(b'{"id":"1","op":"ping"}', 0)] * 20],
    "sends commands nested without end": [
        ACCEPT,
        command(b"[" * 4000),
        command(b'{"id":"1","op":"config_set","config":{"a":' + b"[" * 1800 + b"]" * 1800 + b"}}", 8),
        command(b'{"id":"2","op":"ping","text":' + b'{"a":' * 700 + b"1" + b"}" * 700 + b"}", 9),
    ],
    "sends commands that are none": [
        ACCEPT,
        *(
            command(body, n + 1)
            for n, body in enumerate((b"", b"\xff\xfe", b"null", b"NaN", b'{"id":{}}', b'{"id":"\\ud800"}'))
        ),
    ],
    "sends a command of a megabyte": [ACCEPT, command(b"x" * 1_000_000)],
    "sends bytes one by one": [ACCEPT, *(step for byte in b"\x40\x02\xff\xff" * 3 for step in (bytes([byte]), 0.03))],
    "speaks HTTP": [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "speaks TLS": [b"\x15\x03\x01\x00\x02\x02\x46"],
    "sends garbage": [_GARBAGE],
    "accepts and sends garbage": [ACCEPT, _GARBAGE],
    "resets the connection": [RESET],
}


def player(script, device):
    """What plays a script to one connection of a device, for a BadProxy."""

    async def play(reader, writer):
        for step in script:
            if step == RESET:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if isinstance(step, float):
                await asyncio.sleep(step)
            elif step in (ACCEPT, PACKET):
                await _read_packet(reader)
                if step == ACCEPT:
                    writer.write(CONNACK)
            else:
                writer.write(step(device) if callable(step) else step)
                await asyncio.wait_for(writer.drain(), PATIENCE_S)
        await asyncio.wait_for(reader.read(), PATIENCE_S)

    async def play_patiently(reader, writer):
        try:
            await play(reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError):
            pass  # the board takes no more, or has gone: so does the broker

    return play_patiently


async def _read_packet(reader):
    size, shift, byte = 0, 0, 128
    await reader.readexactly(1)
    while byte & 128:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 127) << shift
        shift += 7
    await reader.readexactly(size)
