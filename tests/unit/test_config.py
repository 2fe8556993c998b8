"""Configuration files: every field checked, the line and the mend in one line, overrides from the environment."""

import re
import tomllib
from typing import Literal

import pytest
from pydantic import Field

from kittiwake.bridge import check, example
from kittiwake.bridge.settings import DeviceSection, Settings, of_ports
from kittiwake.config import load, toml_lines
from kittiwake.errors import ConfigError, UsageError
from kittiwake.publish.publisher import Policy

DEVICE = '[[devices]]\nport = "/dev/ttyS0"\n'


def parse(text, **environment):
    return load.parse(text, Settings, environment, "gw.toml")


def refusal(text, **environment):
    with pytest.raises(ConfigError) as caught:
        parse(text, **environment)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return caught.value


class Every(load.Section):
    """One setting for each kind of fault that a configuration can have."""

    text: str = Field("ab", min_length=2, max_length=3)
    word: str = Field("x", pattern="^x")
    count: int = Field(1, gt=0, lt=5)
    share: float = Field(0.5, ge=0, le=1)
    is_on: bool = True
    choice: Literal["a", "b"] = "a"
    names: list[str] = Field(["a"], min_length=1, max_length=2)
    table: dict[str, int] = {}
    inner: load.Section = load.Section()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('text = "long"', "text: should have at most 3 characters"),
        ('text = "s"', "text: should have at least 2 characters"),
        ("text = 3", "text: should be a text in quotes"),
        ('word = "y"', "word: does not have the right form"),
        ("count = 0", "count: should be greater than 0"),
        ("count = 5", "count: should be less than 5"),
        ("count = 1.5", "count: should be a valid integer"),
        ("share = -0.5", "share: should be greater than or equal to 0"),
        ("share = 1.5", "share: should be less than or equal to 1"),
        ('share = "x"', "share: should be a valid number"),
        ("is_on = 1", "is_on: should be true or false"),
        ('choice = "c"', "choice: should be 'a' or 'b'"),
        ("names = []", "names: has 0 items, and should have at least 1"),
        ('names = ["a", "b", "c"]', "names: has 3 items, and should have at most 2"),
        ("names = 1", "names: should be a list"),
        ("table = 1", "table: should be a table"),
        ("inner = 1", "inner: should be a table"),
        ("inner.x = 1", "inner.x: no such setting"),
    ],
)
def test_config_with_a_fault_of_each_kind_says_it_in_our_words(text, says):
    with pytest.raises(ConfigError) as caught:
        load.parse(text, Every, {}, "x.toml")
    assert caught.value.message == f"x.toml, line 1: {says}"


def test_config_with_a_text_that_is_too_long_says_so_plainly():
    # It read "String sshould have at most 64 characters": pydantic's text with words replaced.
    caught = refusal('[broker]\nclient_id = "' + 65 * "x" + '"\n' + DEVICE)
    assert "broker.client_id: should have at most 64 characters;" in str(caught)


@pytest.mark.parametrize(
    ("text", "line", "says", "mend"),
    [
        ("[broker]\nkeepalives = 3\n" + DEVICE, 2, "broker.keepalives: no such setting", "keepalive_s"),
        (
            '[broker]\nkeepalive_s = "3"\n' + DEVICE,
            2,
            "broker.keepalive_s: should be a valid integer",
            "miss each other",
        ),
        ("[broker]\nkeepalive_s = 1\n" + DEVICE, 2, "broker.keepalive_s: should be greater", "Seconds"),
        ('[broker]\nurl = "http://h"\n' + DEVICE, 2, "is not an MQTT address", "mqtt://"),
        ('[broker]\nurl = "mqtt://me:secret@h"\n' + DEVICE, 2, "holds a user name", "password_file"),
        ('[broker]\nprotocol = "4"\n' + DEVICE, 2, "broker.protocol", "3.1.1"),
        ('[broker]\ncertificate_file = "a"\n' + DEVICE, 1, "certificate_file and key_file go together", ""),
        ('[broker]\nca_file = "a"\n' + DEVICE, 1, "not encrypted", "mqtts://"),
        ("[broker]\nbackoff_last_s = 0.2\n" + DEVICE, 1, "below backoff_first_s", ""),
        ('[broker]\npassword = "x"\n' + DEVICE, 2, "a secret stands in the file", "password_file"),
        ('[broker]\npassword_file = "x"\n' + DEVICE, 1, "a password without a username", ""),
        ('[bridge]\nbase = "a/+"\n' + DEVICE, 2, "is not a topic", "without wildcards"),
        ('[bridge]\n\n# why\nid = "a b"\n' + DEVICE, 4, "bridge.id", "letters, digits"),
        ("[bridge]\nlog = true\n" + DEVICE, 2, "bridge.log", "json"),
        ("[publish]\nqos = { sumary = 1 }\n" + DEVICE, 2, "'sumary' is not a kind", "summary"),
        ("[publish.qos]\nalert = 1\nsummary = 3\n" + DEVICE, 3, "publish.qos.summary", "0, 1 or 2"),
        ('[publish]\ntopics = { alert = "#" }\n' + DEVICE, 2, "is not a topic", ""),
        ('[http]\nlisten = "9108"\n' + DEVICE, 2, "http.listen", "HOST:PORT"),
        ("[spool]\nenabled = true\n" + DEVICE, 1, "has no path", ""),
        ('[spool]\non_full = "stop"\n' + DEVICE, 2, "spool.on_full", "drop_oldest"),
        (DEVICE + "[[devices]]\nbaudrate = 9600\n", 3, "devices[1].port: is missing", "id:0123ABCD"),
        (DEVICE + "window = 0\n", 3, "devices[0].window", "in flight"),
        ('[[devices]]\nport = "tcp://x"\n', 2, "is not a port", "socket://"),
        (DEVICE + 'device = "a/b"\n', 3, "devices[0].device", "id"),
        ("[broker]\nurl =\n", 2, "Invalid value", "toml.io"),
    ],
)
def test_config_with_a_fault_names_line_setting_and_mend(text, line, says, mend):
    error = refusal(text)
    assert re.search(rf"\bline {line}\b", error.message), error.message
    assert error.message.startswith("gw.toml")
    assert says in error.message
    assert mend in str(error)


def test_config_with_every_field_at_a_wrong_type_is_refused_by_name():
    fields = 0
    for name, section in Settings.model_fields.items():
        model = DeviceSection if name == "devices" else section.annotation
        for key in model.model_fields:
            fields += 1
            head = f"[[{name}]]" if name == "devices" else f"[{name}]"
            rest = DEVICE if name != "devices" else 'port = "x"\n' if key != "port" else ""
            error = refusal(f"{head}\n{key} = [[1]]\n{rest}")
            assert f"{key}" in error.message and "line 2" in error.message
            assert error.mend
    assert fields > 30


def test_config_without_devices_says_how_to_write_one():
    assert "[[devices]]" in refusal("[broker]\n").mend


def test_config_with_a_port_twice_is_refused():
    assert "named twice" in refusal(DEVICE + DEVICE).message


def test_config_that_is_not_there_names_init(tmp_path):
    with pytest.raises(ConfigError, match="bridge init"):
        load.load(tmp_path / "none.toml", Settings)


def test_config_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        load.load(tmp_path / "a.toml", Settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deep"),
        ("x = " + "{a = " * 5000 + "1" + "}" * 5000, "nested too deep"),
        ("\n".join(f"k{number} = 1" for number in range(30_000)), "more than 20000 settings"),
        ('[[devices]]\nport = "x"\n' * 6_000, "x is named twice"),
    ],
    ids=["arrays", "tables", "settings", "devices"],
)
def test_config_that_is_deep_or_wide_beyond_use_is_refused_in_one_line_and_soon(text, says):
    # Regression: 5,000 levels were an "internal error", and 200,000 unknown keys took a minute.
    with pytest.raises(ConfigError) as caught:
        load.parse(text, Settings, {}, "g.toml")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_config_of_a_file_that_is_none_is_not_read_to_its_end(tmp_path):
    (tmp_path / "g.toml").write_text("# a comment\n" * 100_000)
    with pytest.raises(ConfigError, match="more than 524288 bytes"):
        load.load(tmp_path / "g.toml", Settings)


def test_config_overridden_by_the_environment_takes_each_fields_type():
    got = parse(
        DEVICE,
        KITTIWAKE_BROKER__KEEPALIVE_S="77",
        KITTIWAKE_BROKER__USERNAME="123",
        KITTIWAKE_BROKER__PASSWORD="very secret",
        KITTIWAKE_DEVICES__1__PORT="id:77",
        KITTIWAKE_DEVICES__0__WINDOW="3",
        KITTIWAKE_PUBLISH__QOS="{ alert = 2 }",
        KITTIWAKE_HOMEASSISTANT__ENABLED="true",
        KITTIWAKE_DATA="/elsewhere",
        PATH="/bin",
    )
    assert (got.broker.keepalive_s, got.broker.username) == (77, "123")
    assert got.broker.password.get_secret_value() == "very secret"
    assert "very secret" not in repr(got)
    assert [(d.port, d.window) for d in got.devices] == [("/dev/ttyS0", 3), ("id:77", 256)]
    assert got.publish.qos == {"alert": 2} and got.homeassistant.enabled


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("KITTIWAKE_BROKER__KEEPALIVE_S", "soon", "valid integer"),
        ("KITTIWAKE_BROKER__NOTHING", "1", "no such setting"),
        ("KITTIWAKE_DEVICES__5__PORT", "x", "no element 5"),
        ("KITTIWAKE_BROKER__URL__X", "x", "no such setting"),
    ],
)
def test_config_with_a_wrong_override_names_the_variable(variable, value, says):
    error = refusal(DEVICE + '[broker]\nurl = "mqtt://h"\n', **{variable: value})
    assert variable in error.message and says in error.message


def test_example_is_a_configuration_and_so_is_all_that_it_shows():
    text = example.text("id:1", "mqtts://broker.example")
    got = parse(text)
    assert (got.devices[0].port, got.broker.url) == ("id:1", "mqtts://broker.example")
    shown = re.sub(r"(?m)^# ([a-z_]+ = )", r"\1", text)
    assert parse(shown) == got
    assert tomllib.loads(shown)["broker"].keys() | {"password"} == type(got.broker).model_fields.keys()


def test_schema_describes_every_field():
    schema = Settings.model_json_schema()
    for section in schema["$defs"].values():
        for name, field in section["properties"].items():
            assert field.get("description"), name


def test_plan_of_the_example_says_what_it_would_do():
    text = "\n".join(check.lines(parse(example.text())))
    for word in ("localhost:1883", "auto", "kittiwake/DEVICE/alert", "cmd"):
        assert word in text


def test_plan_with_a_file_that_is_not_there_names_the_setting():
    got = parse(DEVICE + '[broker]\nurl = "mqtts://h"\nca_file = "/nowhere/ca.pem"\n')
    with pytest.raises(ConfigError, match=r"broker.ca_file: /nowhere/ca.pem"):
        check.lines(got)


def test_plan_with_a_secret_that_others_may_read_warns(tmp_path):
    (tmp_path / "pw").write_text("x\n")
    (tmp_path / "pw").chmod(0o644)
    got = parse(DEVICE + f'[broker]\nusername = "u"\npassword_file = "{tmp_path}/pw"\n')
    assert any("chmod 600" in line for line in check.lines(got))


@pytest.mark.parametrize(("protocol", "warns"), [("3.1.1", True), ("5", False), ("auto", False)])
def test_plan_with_mqtt_3_1_1_advises_the_version_in_which_refusals_show(protocol, warns):
    text = "\n".join(check.lines(parse(DEVICE + f'[broker]\nprotocol = "{protocol}"\n')))
    assert ("a broker confirms what its ACL forbids" in text) is warns


def test_settings_of_ports_named_twice_are_refused():
    with pytest.raises(UsageError, match="twice"):
        of_ports(["/dev/a", "/dev/a"], "mqtt://h", Policy())


def test_lines_by_key_finds_tables_arrays_strings_and_inline_tables():
    text = '''# a
"q k" = 1
a.b = """x
[no]
y = 2
"""
[t."x.y"]
k = [
  1, # one
  { z = 2 },
]
[[arr]]
[arr.sub]
v = 'it''s'
[[arr]]
w = { p = { q = "]" }, r = 1 }
'''.replace("'it''s'", "'its'")
    lines = toml_lines.lines_by_key(text)
    assert lines[("q k",)] == 2
    assert lines[("a", "b")] == 3 and ("y",) not in lines
    assert lines[("t", "x.y")] == 7 and lines[("t", "x.y", "k", 1)] == 10 and lines[("t", "x.y", "k", 1, "z")] == 10
    assert lines[("arr", 0)] == 12 and lines[("arr", 0, "sub", "v")] == 14
    assert lines[("arr", 1)] == 15 and lines[("arr", 1, "w", "p", "q")] == 16 and lines[("arr", 1, "w", "r")] == 16


@pytest.mark.parametrize("cut", range(0, 120, 7))
def test_lines_by_key_of_a_text_cut_anywhere_never_fails(cut):
    toml_lines.lines_by_key(example.text()[:cut] + '[a\nb = "')
