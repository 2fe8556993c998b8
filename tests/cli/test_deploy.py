"""`kittiwake deploy` on the unix target: a rehearsal, its refusals, and what main.py does when a slot does not load."""

import json

import pytest

import kittiwake
from kittiwake.cli import app
from kittiwake.deploy import choose, deployment, inputs, slots, starting
from kittiwake.errors import EXIT_NO_DEVICE, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION, ConfigError, VerificationError
from kittiwake.ports import survey
from kittiwake.target import open_target

CONFIG = """
device = "kw-rehearsal"
[[channels]]
source = {kind = "link", room = 64}
"""
PLACES = {"channels": [{"source": {"kind": "link", "room": 64}}]}


def quiet(text):
    """No progress."""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(CONFIG)
    return path


def test_deploy_to_unix_runs_a_node_that_answers(config, capsys):
    assert app.run(["deploy", "--target", "unix", "-c", str(config), "--json"]) == EXIT_OK
    done = json.loads(capsys.readouterr().out)
    assert done["state"] == "running" and done["slot"] == "app-a"


def test_deploy_refused_configuration_opens_no_port(config, capsys):
    config.write_text(CONFIG + "bits = 99\n")
    assert app.run(["deploy", "--port", "/dev/no-such-port", "-c", str(config)]) == EXIT_USAGE
    assert "bits: 99 is not within 8 to 16" in capsys.readouterr().err
    config.write_text(CONFIG)
    assert app.run(["deploy", "--port", "/dev/no-such-port", "-c", str(config)]) == EXIT_NO_DEVICE
    assert app.run(["deploy", "-c", str(config)]) == EXIT_USAGE


def test_deploy_keeps_the_boards_configuration_when_none_is_given():
    with open_target("unix") as board:
        job = inputs.Deployment("unix", start=False)
        firmware = kittiwake.firmware_files()
        with pytest.raises(app.KittiwakeError, match="no configuration to keep"):
            deployment.deploy_to(board, job, None, {}, firmware, quiet)
        deployment.deploy_to(board, job, PLACES, {}, firmware, quiet)
        assert deployment.deploy_to(board, job, None, {}, firmware, quiet)["state"] == "unchanged"
        newer = {**firmware, "kittiwake_node/__init__.py": firmware["kittiwake_node/__init__.py"] + b"NEW = 1\n"}
        assert deployment.deploy_to(board, job, None, {}, newer, quiet)["slot"] == "app-b"
        kept = [json.loads((board.board_dir / slot / "node.json").read_text()) for slot in ("app-a", "app-b")]
        assert kept[0] == kept[1]


def test_deploy_node_that_does_not_answer_is_taken_back(monkeypatch):
    with open_target("unix") as board:
        firmware = kittiwake.firmware_files()
        deployment.deploy_to(board, inputs.Deployment("unix"), PLACES, {}, firmware, quiet)
        board.interrupt()
        mute = firmware["kittiwake_node/node.py"] + b"\ndef run_file(path):\n    while True:\n        pass\n"
        monkeypatch.setattr(starting, "LIMIT_S", 2.0)
        with pytest.raises(VerificationError, match="does not answer on its link.*; app-a runs again"):
            deployment.deploy_to(
                board, inputs.Deployment("unix"), PLACES, {}, {**firmware, "kittiwake_node/node.py": mute}, quiet
            )
        assert survey.ask_port(board.link_port).state == "node"


def test_deploy_node_that_ends_at_once_is_taken_back_and_its_last_words_are_told():
    with open_target("unix") as board:
        firmware = kittiwake.firmware_files()
        deployment.deploy_to(board, inputs.Deployment("unix"), PLACES, {}, firmware, quiet)
        board.interrupt()
        # What only a start finds.
        absent = {"channels": [{"source": {"kind": "replay", "path": "no-such-file"}}]}
        with pytest.raises(VerificationError, match="does not run: .*no-such-file.*; app-a runs again") as caught:
            deployment.deploy_to(board, inputs.Deployment("unix"), absent, {}, firmware, quiet)
        assert caught.value.exit_code == EXIT_VERIFICATION
        assert survey.ask_port(board.link_port).state == "node"


def test_deploy_over_mqtt_hears_on_the_console_whether_the_node_runs():
    # Regression: with a link that is asked elsewhere, a node that had ended was called started.
    direct = {"device": "kw", "link": "mqtt", "mqtt": {"url": "mqtt://127.0.0.1:1883"}, **PLACES}
    with open_target("unix") as board:
        firmware, lines = kittiwake.firmware_files(), []
        done = deployment.deploy_to(board, inputs.Deployment("unix"), direct, {}, firmware, lines.append)
        assert done["state"] == "running" and lines[-1].startswith("kw runs; whether its link (mqtt)")
        board.interrupt()
        broken = {**direct, "channels": [{"source": {"kind": "replay", "path": "no-such-file"}}]}
        with pytest.raises(VerificationError, match="does not run: .*no-such-file.*; app-a runs again"):
            deployment.deploy_to(board, inputs.Deployment("unix"), broken, {}, firmware, quiet)


def test_deploy_slot_that_does_not_load_leaves_the_older_one_to_run():
    with open_target("unix") as board:
        job, firmware = inputs.Deployment("unix"), kittiwake.firmware_files()
        deployment.deploy_to(board, job, PLACES, {}, firmware, quiet)
        board.interrupt()
        newer = {**firmware, "kittiwake_node/__init__.py": firmware["kittiwake_node/__init__.py"] + b"NEW = 1\n"}
        assert deployment.deploy_to(board, job, PLACES, {}, newer, quiet)["slot"] == "app-b"
        board.interrupt()
        for path in (board.board_dir / "app-b" / "kittiwake_node").glob("node.*"):
            path.write_bytes(b"damaged")
        board.start_node()
        assert starting.wait(board, {**board.node_overrides(), **PLACES}).answers
        assert "app-b does not load" in board.log_path.read_text()


def test_choose_refuses_a_model_that_no_channel_listens_for():
    with pytest.raises(ConfigError, match="no channel listens for a.kwm"):
        choose.settings(PLACES, "app-a", {"a.kwm": b""})
    heard = {"channels": [{"kind": "microphone", "hear": {"models": ["a.kwm", "b.kwm"]}}]}
    told = json.loads(choose.settings(heard, "app-b", {"a.kwm": b""}))
    assert told["channels"][0]["hear"]["models"] == ["app-b/a.kwm", "b.kwm"]
    telling = {"channels": [{"kind": "states", "states": {"model": "app-a/a.kwm"}}]}
    assert choose.named_models(telling, "app-a") == {"a.kwm"}
    told = json.loads(choose.settings(telling, "app-b", {"a.kwm": b""}, "app-a"))
    assert told["channels"][0]["states"]["model"] == "app-b/a.kwm"


def test_choose_brings_networks_to_channels_that_tell_states_and_no_audio():
    firmware = kittiwake.firmware_files()
    sensor, telling, hearing = [
        {path.removeprefix("kittiwake_node/") for path in choose.files(firmware, {"channels": [{"kind": kind}]})}
        for kind in ("sensor", "states", "microphone")
    ]
    own = {
        "assembly_states.py",
        "config_states.py",
        "detect/states.py",
        "detect/state_judge.py",
        "detect/state_note.py",
        "kernels/viper_block.py",
    }
    assert telling - sensor - hearing == own
    assert {"network.py", "kernels/viper_conv.py"} <= (telling & hearing) - sensor
    assert not any(path.startswith("speech/") or path.endswith("_mel.py") for path in telling)
    # Kernels of int16 activations go to no node, whose networks have none.
    assert any(path.endswith("viper_conv16.py") for path in firmware)
    everything = {*telling, *hearing, *choose.every_file(firmware)}
    assert not any(path.endswith(("16.py", "16.mpy")) for path in everything)


@pytest.mark.parametrize("version", ["1.23.0", "1.20.1"])
def test_deploy_to_an_old_micropython_is_refused(version):
    with pytest.raises(ConfigError, match="1.24 to 1.29 are supported"):
        inputs.check_board(inputs.Deployment("unix"), {"implementation": f"micropython {version}", "arch": ""}, quiet)


def test_deploy_to_a_newer_micropython_than_was_tried_warns_and_goes_on():
    told = []
    for version in ("1.29.0", "1.30.0", "2.0.1"):
        inputs.check_board(
            inputs.Deployment("unix"), {"implementation": f"micropython {version}", "arch": ""}, told.append
        )
    assert [line.split(",")[0] for line in told] == [
        "the board runs MicroPython 1.30.0",
        "the board runs MicroPython 2.0.1",
    ]


MACHINE = """
dogs, feeders = [], []
class WDT:
    def __init__(self, timeout):
        dogs.append(timeout)
        self.fed = 0
    def feed(self):
        self.fed += 1
class Timer:
    def __init__(self, number):
        if number < 0:
            raise ValueError("no virtual timers")
    def init(self, period, callback):
        feeders.append((period, callback))
"""


@pytest.mark.parametrize(("seconds", "dogs", "periods"), [(8, [8000], [2000]), (0, [], [])])
def test_slots_keep_the_nodes_watchdog_fed_at_the_prompt_and_after_a_restart(seconds, dogs, periods):
    look = (
        "import machine\nfor f in machine.feeders: f[1](None)\nprint([machine.dogs, [f[0] for f in machine.feeders]])"
    )
    with open_target("unix") as board:
        board.deploy({"machine.py": MACHINE.encode(), "node.json": json.dumps({"watchdog_s": seconds}).encode()})
        found = slots.Slots(board)
        assert json.loads(board.exec(look)) == [dogs, periods]
        board.reboot()
        found.renew()
        assert json.loads(board.exec(look)) == [dogs, periods]
        if seconds:
            assert board.exec("print(_dog.fed)") == "1\n"


def test_choose_leaves_direct_mqtt_out_where_the_link_is_another_and_a_change_to_it_is_refused():
    firmware = kittiwake.firmware_files()
    linked = choose.files(firmware, PLACES)
    direct = choose.files(firmware, {**PLACES, "link": "mqtt"})
    only = {path.removeprefix("kittiwake_node/") for path in set(direct) - set(linked)}
    assert {"mqtt/settings.py", "mqtt/session.py", "io/net/tls.py", "io/net/wifi.py"} <= only
    assert not set(linked) - set(direct)
    assert set(choose.files(firmware, {**PLACES, "link": {"kind": "mqtt"}})) == set(direct)
    change = {**PLACES, "device": "kw", "link": "mqtt", "mqtt": {"url": "mqtt://127.0.0.1:1883"}}
    for files, answer in ((linked, "the modules of direct MQTT are not on this board"), (direct, "")):
        with open_target("unix") as board:
            board.deploy({f"slot/{path}": content for path, content in files.items()})
            board.exec("import sys\nsys.path.insert(0, 'slot')\nfrom kittiwake_node import node")
            told = board.exec(f"print(node.refusal({change!r}))").strip()
            assert (answer in told) if answer else told == ""


def test_deploy_models_go_on_with_later_applications_until_nobody_listens_for_them():
    word = bytes(range(256)) * 20
    heard = {
        "channels": [{"kind": "microphone", "source": {"kind": "wav", "path": "x"}, "hear": {"models": ["a.kwm"]}}]
    }
    firmware = kittiwake.firmware_files()

    def newer(number):
        changed = firmware["kittiwake_node/__init__.py"] + b"NEW = %d\n" % number
        return {**firmware, "kittiwake_node/__init__.py": changed}

    with open_target("unix") as board:

        def there(slot):
            config = json.loads((board.board_dir / slot / "node.json").read_text())
            plan = board.board_dir / slot / "a.kwm"
            return config["channels"][0].get("hear", {}).get("models"), plan.exists() and plan.read_bytes()

        job = inputs.Deployment("unix", start=False)
        deployment.deploy_to(board, job, heard, {"a.kwm": word}, firmware, quiet)
        assert there("app-a") == (["app-a/a.kwm"], word)
        assert deployment.deploy_to(board, job, None, {}, firmware, quiet)["state"] == "unchanged"
        # Twice, so that the slot that the model came in is written anew.
        for number, slot in ((1, "app-b"), (2, "app-a")):
            assert deployment.deploy_to(board, job, None, {}, newer(number), quiet)["slot"] == slot
            assert there(slot) == ([f"{slot}/a.kwm"], word)
        assert deployment.deploy_to(board, job, heard, {}, newer(2), quiet)["state"] == "unchanged"
        deployment.deploy_to(board, job, {**heard, "block": 32}, {}, newer(2), quiet)
        assert there("app-b") == (["app-b/a.kwm"], word)
        deployment.deploy_to(board, job, PLACES, {}, newer(2), quiet)
        assert there("app-a") == (None, False)
