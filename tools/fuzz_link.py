"""Coverage-guided fuzzing of both ends of the link with atheris (pip install atheris; Linux, CPython 3.11 to 3.13).

    python tools/fuzz_link.py bridge|device [-runs=1000000] [-max_total_time=60] [CORPUS]

What follows the end's name is libFuzzer's. The bytes that it makes are a sequence of frames: a control byte, a length,
and a body that is sealed into a frame, or put on the line as it is.
"""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

try:
    import atheris
except ImportError:
    sys.exit("fuzz_link: atheris is not installed; pip install atheris")

with atheris.instrument_imports(include=["kittiwake", "kittiwake_node"]):
    from kittiwake_node.link.frame import encode
    from tests.support import fuzz

_ENDS: dict[str, tuple[Callable[[], fuzz.GatewayEnd | fuzz.DeviceEnd], int]] = {
    "bridge": (fuzz.GatewayEnd, 0),
    "device": (fuzz.DeviceEnd, 1),
}


def steps(data: bytes, frames: list[tuple[int, bytes]]) -> list[bytes]:
    """Turn the fuzzer's bytes into what goes over the line."""
    out, at = [], 0
    while at + 2 <= len(data):
        control, size = data[at], data[at + 1]
        body = data[at + 2 : at + 2 + size]
        at += 2 + size
        kind, good = frames[control % len(frames)]
        if control & 0x80:
            out.append(body)
        elif control & 0x40:
            out.append(encode(kind, body or b"\0"))
        else:
            # A good frame with the body laid over its end: the fuzzer finds fields one by one.
            out.append(encode(kind, good[: max(0, len(good) - size)] + body or b"\0"))
    return out


def main() -> None:
    """Fuzz until libFuzzer stops."""
    if len(sys.argv) < 2 or sys.argv[1] not in _ENDS:
        sys.exit(__doc__)
    logging.disable(logging.CRITICAL)
    end, direction = _ENDS[sys.argv[1]]
    frames = fuzz.seeds()[direction]

    def feed_once(data: bytes) -> None:
        target = end()
        target.ready()
        for chunk in steps(data, frames):
            target.feed(chunk)
        target.feed(b"\xc0")
        target.good_exchange()

    atheris.Setup([sys.argv[0], *sys.argv[2:]], feed_once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
