"""What a hostile peer may say, as hypothesis strategies: frames and packets are sound, their content is not.

A move is a tuple whose first item names it. It knows neither sessions nor sockets: attack.py makes bytes of it.
"""

import json

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import messages as m
from kittiwake_node.link import record as rec

BODY_LIMIT_BYTES = 980  # with its session, a frame of it fits what the bridge takes
VICTIM = "victim"
NEWEST = -1  # the channel description that was sent last

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
I32 = st.sampled_from((-(1 << 31), -1, 0, 1, (1 << 31) - 1)) | st.integers(-(1 << 31), (1 << 31) - 1)
U48 = st.sampled_from((0, 1, (1 << 48) - 1, 1_767_323_045_000)) | st.integers(0, (1 << 48) - 1)
U64 = st.sampled_from((0, (1 << 53) + 1, (1 << 64) - 1)) | st.integers(0, (1 << 64) - 1)

_NASTY = (
    "",
    "\0",
    "\x7f",
    "\x85",
    "\uffff",
    "\ufdd0",
    "\U0001fffe",
    "\ud800",
    "\udfff x",
    "+",
    "#",
    "/",
    "a/b",
    "$SYS",
)
_NASTY += ("..", "-", "\u202e", "e\u0301", "{{ value_json }}", '"', "\\", "\n", "\x1b[2J", "x" * 300, "\U0001f426" * 40)
texts = st.sampled_from(_NASTY) | st.text(st.characters(), max_size=12)
_NUMBERS = (
    "1/100",
    "1/0",
    "0",
    "-0",
    "1e99",
    "1e999999999",
    "NaN",
    "Infinity",
    "\u00bd",
    "0x10",
    "1_0",
    "9" * 400,
    "1/1e-99",
)
numbers = st.sampled_from(_NUMBERS) | st.integers() | st.sampled_from((10**400, -(2**70), 1e308, 5e-324)) | texts
scalars = st.none() | st.booleans() | numbers
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)


def _dump(value):
    return json.dumps(value).encode()


def _nested(open_close, depth, inside):
    return open_close[0] * depth + inside + open_close[1] * depth


raw_json = st.one_of(
    values.map(_dump),
    st.builds(
        _nested,
        st.sampled_from(((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b'{"a":[', b"]}"))),
        st.sampled_from((31, 32, 33, 100, 160)),
        st.sampled_from((b"", b"1", b"NaN")),
    ),
    st.binary(max_size=40),
    st.sampled_from(
        (b"", b"null", b"[NaN]", b"1e999", b"[[[", b"{}", b"\xff", b'"\\ud800"', b"[" + b"1," * 400 + b"1]")
    ),
)

_channel = st.fixed_dictionaries(
    {"name": texts},
    optional={
        "unit": texts | scalars,
        "sensor_id": texts | scalars,
        "scale": numbers,
        "offset": numbers,
        "more": values,
    },
)
_described = st.lists(_channel, min_size=1, max_size=3).map(_dump)
# A strategy that is mapped counts as one more: so are those weighed that get further in.
descriptions = st.one_of(
    _described,
    _described.map(bytes),
    raw_json.map(bytes),
    st.integers(5, 300).map(lambda count: b"[" + b",".join([b"{}"] * count) + b"]"),
)

_text_bytes = texts.map(lambda text: text.encode(errors="surrogatepass")) | st.binary(max_size=30)
_sums = st.integers(-(1 << 63), (1 << 63) - 1), U64, U48


def _of_type(kind, pack, *arguments):
    return st.builds(lambda *values: (kind, pack(*values)), *arguments)


_sound_bodies = st.one_of(
    _of_type(rec.READING, payload.pack_reading, I32, U48),
    _of_type(rec.SUMMARY, payload.pack_summary, U32, I32, I32, U32, *_sums, U16),
    _of_type(rec.ANOMALY, anomaly.pack_anomaly, U8, U8, U16, I32, I32, I32, *_sums, U8, U8),
    _of_type(rec.SNAPSHOT, payload.pack_snapshot, U16, U16, U48, st.binary(max_size=64)),
    _of_type(rec.DISTURBANCE, anomaly.pack_disturbance, U8, U32, U48, U48, U32, U48),
    _of_type(rec.EVENT, lambda code, text: code.to_bytes(2, "little") + text, U16, _text_bytes),
    _of_type(rec.BOOT, lambda head, text: head + text, st.binary(min_size=8, max_size=8), _text_bytes),
    _of_type(rec.KEYWORD, lambda head, text: head + text, st.binary(min_size=20, max_size=20), _text_bytes),
    _of_type(rec.STATE, lambda head, text: head + text, st.binary(min_size=15, max_size=15), _text_bytes),
    _of_type(rec.TIME, payload.pack_time, U48),
    _of_type(rec.HEALTH, payload.pack_health, st.dictionaries(st.sampled_from(payload.HEALTH_FIELDS), U32, max_size=5)),
)
# Also the body of one type under the number of another, and types that nobody knows.
_typed_bodies = st.one_of(
    _sound_bodies.map(tuple),
    _sound_bodies.map(list),
    st.tuples(U8, st.binary(max_size=200)),
    st.builds(lambda kind, sound: (kind, sound[1]), st.integers(0, 12), _sound_bodies),
)
_records = st.tuples(
    st.just("record"),
    _typed_bodies,
    st.sampled_from((rec.VERSION,) * 8 + (0, 2, 255)),
    st.sampled_from((0, 0, 0, 1, 2)) | U8,
    st.integers(0, 3) | U8,
    st.sampled_from((NEWEST, NEWEST, NEWEST, 1, 2, 65535)),
    U32,
    U48,
    U48,
    st.sampled_from((0,) * 100 + (1, -1, -1000, 1000, 0xFFFFFFF0)),
)
_names = st.sampled_from(
    (b"victim", b"bridge", b"evil-x", b"evil.x", b"evil_x", b"", b"+", b"evil/x", b"x" * 65, b"\xff", b"evil\0")
)
_hellos = st.tuples(
    st.just("hello"),
    st.sampled_from(("open", "open", "none", "other", "other")),
    U16,
    U64,
    U32,
    U32,
    U32,
    _names,
    st.sampled_from(((1, 1), (1, 1), (0, 0), (2, 9), (9, 1))),
)
_descriptions = st.tuples(st.just("description"), st.sampled_from((1, 2, 3)) | U16, descriptions)
_link_moves = st.one_of(
    _descriptions,
    _descriptions.map(tuple),
    st.tuples(st.just("status"), U32, U32, st.tuples(U32, U32, U32)),
    st.tuples(st.just("reply"), st.booleans(), U32, st.sampled_from((m.OK, m.OK, m.UNKNOWN, m.REFUSED, 77)), raw_json),
    _hellos,
    st.tuples(st.just("text"), _text_bytes),
    st.tuples(st.just("frame"), U8, st.booleans(), st.binary(min_size=1, max_size=60)),
)

_OPS = ("ping", "time", "identify", "config_get", "config_set", "stimulus", "event", "relearn", "fly", "status")
_commands = st.fixed_dictionaries(
    {"id": texts | st.integers(0, 50) | st.sampled_from(("\ud800", "x\udfff")), "op": st.sampled_from(_OPS) | texts},
    optional={
        "text": texts | values,
        "config": values | st.dictionaries(texts, values, max_size=3),
        "samples": st.lists(st.integers(-40000, 40000), max_size=5) | values,
        "channel": values,
        "code": values,
        "start": U32,
    },
).map(_dump)
# A release of all ports, or of the victim's, is what an operator may ask for: it is not made here.
_bridge_commands = st.builds(
    lambda port, seconds: _dump({"id": "1", "op": "release", "port": port, "seconds": seconds}),
    texts | st.integers(),
    values,
)
_claims = (
    raw_json
    | st.lists(st.sampled_from((VICTIM, "evil-gone", "evil.gone")) | values, max_size=4).map(_dump)
    | st.just(b"[" * 2000)
)
_DEVICES = st.sampled_from(("evil-0", "evil-1", "evil-2", "evil-none", VICTIM))
_command_moves = st.tuples(
    st.just("publish"),
    _DEVICES.map(lambda device: f"kittiwake/{device}/cmd"),
    st.one_of(_commands, _commands.map(bytes), raw_json.map(bytes)),
    st.just(False),
)
_mqtt_moves = st.one_of(
    st.tuples(st.just("publish"), st.just("kittiwake/bridge/cmd"), _bridge_commands | raw_json, st.just(False)),
    st.tuples(st.just("publish"), st.just("kittiwake/bridge/devices"), _claims, st.just(True)),
    st.tuples(
        st.just("publish"),
        _DEVICES.map(lambda device: f"kittiwake/{device}/status"),
        st.sampled_from((b"online", b"offline", b"", b"\xff", b"x" * 2000)),
        st.booleans(),
    ),
    st.tuples(
        st.just("publish"),
        st.just("homeassistant/status"),
        st.sampled_from((b"online", b"offline", b"\xff")),
        st.booleans(),
    ),
)
bursts = st.tuples(
    st.lists(_link_moves, max_size=3),
    st.lists(_records, min_size=1, max_size=5),
    st.lists(_mqtt_moves, max_size=1),
    st.lists(_command_moves, max_size=1),
).map(lambda parts: [move for part in parts for move in part])


def bursts_of(number, count):
    """Bursts of moves, the same for the same number.

    Args:
        number: of the seed.
        count: how many bursts.

    Returns:
        A list of lists of moves.
    """
    made = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(bursts)
    def collect(burst):
        made.append(burst)

    collect()
    return made
