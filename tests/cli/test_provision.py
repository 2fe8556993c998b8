"""`kittiwake provision` on the unix target: what it writes, what it never says, and what an interruption leaves."""

import base64
import io
import json
import subprocess

import pytest

import kittiwake
from kittiwake.cli import app
from kittiwake.config import credentials
from kittiwake.deploy import deployment, inputs, provision
from kittiwake.errors import EXIT_OK, EXIT_USAGE, ConfigError, TargetError
from kittiwake.ports import survey
from kittiwake.target import open_target
from kittiwake.target.unix import UnixTarget
from tests.support import certificates

SECRET = "correct horse battery"
WIFI = {("wifi", "ssid"): "plant"}
PASSWORD = {("wifi", "password_file"): SECRET.encode()}


def quiet(text):
    """No progress."""


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def board():
    with open_target("unix") as board:
        yield board


def on_board(board):
    """(provision.json, path -> content of the files in its folder)."""
    path = board.board_dir / "provision.json"
    there = json.loads(path.read_text()) if path.exists() else {}
    folder = board.board_dir / "provision"
    return there, {f"provision/{file.name}": file.read_bytes() for file in folder.glob("*")}


def test_provision_names_a_board_and_a_new_deployment_keeps_the_name(board):
    shared = {"device": "fleet", "channels": [{"source": {"kind": "link"}}]}
    firmware = kittiwake.firmware_files()
    deployment.deploy_to(board, inputs.Deployment("unix", start=False), shared, {}, firmware, quiet)
    assert provision.write(board, provision.Own({("device", ""): "kw-7"}), shared) == ["provision.json"]
    for version in (1, 2):
        newer = {
            **firmware,
            "kittiwake_node/__init__.py": firmware["kittiwake_node/__init__.py"] + b"N = %d\n" % version,
        }
        assert deployment.deploy_to(board, inputs.Deployment("unix"), shared, {}, newer, quiet)["state"] == "running"
        found = survey.ask_port(board.link_port)
        assert (found.state, found.detail) == ("node", "kw-7")
        board.interrupt()


def test_provision_again_writes_nothing_and_a_change_removes_the_old_file(board):
    own = provision.Own({**WIFI, ("device", ""): "kw-7"}, PASSWORD)
    assert len(provision.write(board, own)) == 2
    first = on_board(board)
    assert list(first[1].values()) == [SECRET.encode()]
    assert provision.write(board, own) == [] and on_board(board) == first
    changed = provision.Own(secrets={("wifi", "password_file"): b"another password"})
    provision.write(board, changed)
    there, files = on_board(board)
    assert list(files.values()) == [b"another password"] and there["wifi"]["password_file"] in files
    assert there["wifi"]["ssid"] == "plant" and there["device"] == "kw-7"
    provision.write(board, provision.Own(forget=("wifi",)))
    assert on_board(board) == ({"device": "kw-7"}, {})


class Dead(Exception):
    """The supply was cut."""


def test_provision_cut_off_anywhere_leaves_the_old_or_the_new_whole(board):
    old = provision.Own({**WIFI, ("device", ""): "old"}, PASSWORD)
    new = provision.Own(
        {("wifi", "ssid"): "hall", ("device", ""): "new"}, {("wifi", "password_file"): b"hall's own word"}
    )
    exchanges = {"exec": type(board).exec, "deploy": type(board).deploy}
    outcomes = []
    for cut_at in range(60):
        provision.write(board, provision.Own(forget=tuple(provision.GROUPS)))
        provision.write(board, old)
        left = cut_at

        def cut(name):
            def exchange(*arguments):
                nonlocal left
                if not left:
                    raise Dead
                left -= 1
                return exchanges[name](board, *arguments)

            return exchange

        board.exec, board.deploy = cut("exec"), cut("deploy")
        try:
            provision.write(board, new)
            is_through = True
        except Dead:
            is_through = False
        finally:
            del board.exec, board.deploy
        there, files = on_board(board)
        content = files[there["wifi"]["password_file"]]
        assert (there["device"], there["wifi"]["ssid"], content) in (
            ("old", "plant", SECRET.encode()),
            ("new", "hall", b"hall's own word"),
        )
        outcomes.append(there["device"])
        if is_through:
            break
    assert is_through and set(outcomes) == {"old", "new"} and len(outcomes) > 6


def test_provision_that_the_node_refuses_changes_nothing(board):
    shared = {"link": "mqtt", "mqtt": {"url": "mqtt://b"}, "channels": [{"source": {"kind": "link"}}]}
    own = provision.Own({**WIFI, ("mqtt", "url"): "mqtts://b:8883"}, PASSWORD)
    with pytest.raises(ConfigError, match="would not start with it: mqtt.ca_file"):
        provision.write(board, own, shared)
    assert on_board(board) == ({}, {}) and not list(board.board_dir.glob("provision.json*"))


def test_provision_damaged_file_is_told_and_mended_by_forgetting_all(board):
    board.deploy({"provision.json": b'{"wifi'})
    with pytest.raises(ConfigError, match="--forget all"):
        provision.read(board)
    provision.write(board, provision.Own({("device", ""): "kw-8"}, forget=tuple(provision.GROUPS)))
    assert on_board(board)[0] == {"device": "kw-8"}


@pytest.mark.parametrize("fails", [False, True])
def test_provision_says_no_secret_whatever_happens(fails, tmp_path, monkeypatch, capsys):
    (tmp_path / "wifi").write_text(SECRET + "\n")
    monkeypatch.setenv("KITTIWAKE_MQTT_PASSWORD", "other " + SECRET)
    if fails:
        monkeypatch.setenv("KITTIWAKE_TRACEBACK", "1")

        def deploy(self, files, whole=UnixTarget.deploy):
            if any(path.startswith("provision/") for path in files):
                raise TargetError("the board has gone", traceback=repr(files))
            whole(self, files)

        monkeypatch.setattr(UnixTarget, "deploy", deploy)
    options = [
        "--wifi",
        "plant",
        "--wifi-password-file",
        str(tmp_path / "wifi"),
        "--mqtt",
        "mqtt://b",
        "--mqtt-user",
        "u",
    ]
    code = app.run(["provision", "--target", "unix", *options, "--json"])
    printed = "".join(capsys.readouterr())
    assert (code == EXIT_OK) is not fails
    assert SECRET not in printed and base64.b64encode(SECRET.encode()).decode()[:16] not in printed
    assert SECRET not in repr(provision.Own(secrets=PASSWORD))


def test_secret_comes_from_file_stdin_environment_or_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "word").write_bytes(b"from file\r\n")
    assert credentials.secret("word", str(tmp_path / "word"), "KW_WORD") == b"from file"
    monkeypatch.setattr("sys.stdin", io.StringIO("from stdin\nnot this\n"))
    assert credentials.secret("word", "-", "KW_WORD") == b"from stdin"
    monkeypatch.setenv("KW_WORD", "from outside")
    assert credentials.secret("word", "", "KW_WORD") == b"from outside"
    monkeypatch.delenv("KW_WORD")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda question: {"word: ": "typed"}[question])
    assert credentials.secret("word", "", "KW_WORD") == b"typed"


def test_certificates_that_fit_are_taken(certs):
    found = credentials.certificates(certs / "ca.pem", certs / "gateway.pem", certs / "gateway.key")
    assert found == {
        "ca_file": (certs / "ca.pem").read_bytes(),
        "certificate_file": (certs / "gateway.pem").read_bytes(),
        "key_file": (certs / "gateway.key").read_bytes(),
    }


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--certificate", "gateway.pem", "--key", "operator.key"], "is not the key of"),
        (["--certificate", "gateway.pem"], "goes with its key"),
        (["--certificate", "gateway.key", "--key", "gateway.key"], "are no certificate and its key"),
        (["--ca", "gateway.key"], "holds no certificate"),
        (["--ca", "broken.pem"], "is no PEM file"),
        (["--ca", "ca.pem"], "expired on"),
        (["--ca", "nowhere.pem"], "cannot be read"),
        (["--certificate", "gateway.pem", "--key", "locked.key"], "is encrypted"),
        (["--device", "a b"], "names no device"),
        (["--wifi", "s" * 33, "--wifi-open"], "is no network's name"),
        (["--wifi", "plant", "--wifi-password-file", "short"], "the Wi-Fi password has 7 bytes"),
        (["--wifi", "plant", "--wifi-password-file", "nowhere"], "name the file of the Wi-Fi password"),
        (["--mqtt", "http://b"], "is not mqtt://HOST:PORT"),
        (["--mqtt", "mqtt://user:pw@b"], "the user is for --mqtt-user"),
        (["--forget", "everything"], "there is no everything to forget"),
        (["--mqtt-user", "u"], "KITTIWAKE_MQTT_PASSWORD"),
    ],
)
def test_provision_refusals_are_one_line_and_open_no_port(certs, monkeypatch, capsys, options, why):
    monkeypatch.chdir(certs)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    (certs / "short").write_text("7 bytes")
    (certs / "broken.pem").write_text("nothing")
    if why == "expired on":
        monkeypatch.setattr(credentials.time, "time", lambda: 4e9)
    if "locked.key" in options:
        lock = "openssl pkey -in gateway.key -aes128 -passout pass:x1y2z3 -out locked.key"
        subprocess.run(lock.split(), check=True, capture_output=True)
    assert app.run(["provision", "--port", "/dev/no-such-port", *options]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and why in err
