"""`kittiwake release`: a key, a release, twice the same bytes; and everything that is refused, with its exit code."""

import importlib
import json
import os
import random
import shutil
import stat

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION, VerificationError
from kittiwake.release import container, keys

# Its name in the package is the command group's.
VERB = importlib.import_module("kittiwake.cli.verbs.release")
FLIPS = 20_000 if os.environ.get("KITTIWAKE_SOAK") else 300
PASSPHRASE = "correct horse battery"
FIRMWARE = {
    "main.py": b"print('not in a release')\n",
    "kittiwake_node/__init__.py": b"__version__ = '1'\n",
    "kittiwake_node/node.py": b"def run():\n    return 1\n",
    "kittiwake_node/kernels/thumb2_drift.py": b"A = 1\n",
    "kittiwake_node/kernels/rv32_drift.py": b"A = 2\n",
}


@pytest.fixture(scope="module")
def keys_made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("press", "other"):
        keys.make(folder / f"{name}.key", PASSPHRASE.encode())
    return folder


@pytest.fixture
def place(keys_made, tmp_path, monkeypatch):
    monkeypatch.setenv("KITTIWAKE_RELEASE_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(VERB, "_firmware", lambda: dict(FIRMWARE))
    monkeypatch.chdir(tmp_path)
    for path in keys_made.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path


def make_of(output, board, *more, counter="7", key="press.key"):
    named = ["--board", board, "--version", "1.4", *(["--counter", counter] if counter else [])]
    return app.run(["release", "make", "-o", output, "--key", key, *named, *more])


def make(output, *more, **options):
    return make_of(output, "qemu-virt", "--board", "x64", "--board", "qemu-mps2-an385", *more, **options)


def shown(capsys, path="press.kwu"):
    capsys.readouterr()
    assert app.run(["release", "show", path, "--json"]) == EXIT_OK
    return json.loads(capsys.readouterr().out)


def test_private_key_is_encrypted_and_its_owners_alone(place, capsys):
    assert app.run(["release", "key", "new", "new.key", "--json"]) == EXIT_OK
    assert len(json.loads(capsys.readouterr().out)["key"]) == 16
    assert stat.S_IMODE((place / "new.key").stat().st_mode) == 0o600
    assert (place / "new.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED ")
    assert (place / "new.key.pub").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")


def test_key_that_is_there_is_not_written_over(place, capsys):
    before = (place / "press.key").read_bytes()
    assert app.run(["release", "key", "new", "press.key"]) == EXIT_USAGE
    assert (place / "press.key").read_bytes() == before
    assert "there already" in capsys.readouterr().err


def test_short_or_missing_passphrase_makes_no_key(place, monkeypatch, capsys):
    monkeypatch.setenv("KITTIWAKE_RELEASE_PASSPHRASE", "short")
    assert app.run(["release", "key", "new", "new.key"]) == EXIT_USAGE
    monkeypatch.delenv("KITTIWAKE_RELEASE_PASSPHRASE")
    assert app.run(["release", "key", "new", "new.key"]) == EXIT_USAGE
    assert "passphrase" in capsys.readouterr().err
    assert not (place / "new.key").exists()


def test_release_made_twice_is_the_same_file_and_is_verified(place, capsys):
    (place / "node.toml").write_text('device = "mine"\n[[channels]]\nsource = {kind = "link"}\n')
    for name in ("press.kwu", "again.kwu"):
        assert make(name, "-c", "node.toml", "--notes", "stiffer press") == EXIT_OK
    assert (place / "press.kwu").read_bytes() == (place / "again.kwu").read_bytes()
    assert app.run(["release", "verify", "press.kwu", "--key", "press.key.pub"]) == EXIT_OK
    facts = shown(capsys)
    assert (facts["version"], facts["counter"], facts["notes"], facts["trial_s"]) == ("1.4", 7, "stiffer press", 300)
    builds = {(build["arch"], *build["chips"]): set(build["files"]) for build in facts["builds"]}
    everywhere = {"kittiwake_node/__init__.mpy", "kittiwake_node/node.mpy", "node.json"}
    assert builds == {
        ("x64",): everywhere,
        ("rv32imc", "RV32IMAC"): everywhere | {"kittiwake_node/kernels/rv32_drift.mpy"},
        ("armv7m", "Cortex-M3"): everywhere | {"kittiwake_node/kernels/thumb2_drift.mpy"},
    }
    release = container.read((place / "press.kwu").read_bytes(), "it")
    (settings,) = {file.content for file in release.files(0) if file.path == "node.json"}
    assert "device" not in json.loads(settings), "a board's name is its own"


def test_release_differs_where_anything_in_it_does(place, monkeypatch):
    assert make("press.kwu") == EXIT_OK
    variants = {(place / "press.kwu").read_bytes()}
    for more in (["--notes", "x"], ["--trial", "60"], ["--downgrade"]):
        assert make("other.kwu", *more) == EXIT_OK
        variants.add((place / "other.kwu").read_bytes())
    changed = FIRMWARE | {"kittiwake_node/node.py": b"def run():\n    return 2\n"}
    monkeypatch.setattr(VERB, "_firmware", lambda: changed)
    assert make("other.kwu") == EXIT_OK
    variants.add((place / "other.kwu").read_bytes())
    assert len(variants) == 5


def test_counter_grows_by_one_after_the_release_before(place, capsys):
    assert make("press.kwu") == EXIT_OK
    assert make("next.kwu", "--after", "press.kwu", counter="") == EXIT_OK
    assert shown(capsys, "next.kwu")["counter"] == 8
    assert make("next.kwu", counter="") == EXIT_USAGE
    assert make("next.kwu", "--after", "press.kwu") == EXIT_USAGE


def test_release_of_configuration_alone_has_no_modules(place, capsys):
    (place / "node.toml").write_text('[[channels]]\nsource = {kind = "link"}\n')
    assert make("press.kwu", "--config-alone") == EXIT_USAGE
    assert make("press.kwu", "--config-alone", "-c", "node.toml") == EXIT_OK
    facts = shown(capsys)
    assert facts["keeps_application"] and not facts["allows_downgrade"]
    assert [set(build["files"]) for build in facts["builds"]] == [{"node.json"}] * 3
    assert app.run(["release", "show", "press.kwu"]) == EXIT_OK
    assert "configuration alone" in capsys.readouterr().out
    assert make("press.kwu", "-c", "node.toml") == EXIT_OK
    assert not shown(capsys)["keeps_application"]


def test_release_names_the_keys_that_boards_trust_from_then_on(place, capsys):
    assert make("press.kwu", "--trust", "other.key.pub", "--trust", "press.key.pub") == EXIT_OK
    facts = shown(capsys)
    named = [keys.id_of(keys.read_public(place / f"{name}.key.pub")).hex() for name in ("other", "press")]
    assert facts["trusts"] == named
    assert all(build["files"]["keys"] == 768 for build in facts["builds"])
    assert app.run(["release", "show", "press.kwu"]) == EXIT_OK
    assert f"then trusts  {', '.join(named)}, no others" in capsys.readouterr().out
    assert make("press.kwu", *["--trust", "press.key.pub"] * 5) == EXIT_USAGE
    assert make("press.kwu") == EXIT_OK
    assert shown(capsys)["trusts"] == []


def test_release_of_another_key_is_whole_and_not_verified(place, capsys):
    assert make("press.kwu", key="other.key") == EXIT_OK
    assert app.run(["release", "verify", "press.kwu", "--key", "press.key.pub"]) == EXIT_VERIFICATION
    assert "none of these keys" in capsys.readouterr().err
    both = ["--key", "press.key.pub", "--key", "other.key.pub"]
    assert app.run(["release", "verify", "press.kwu", *both]) == EXIT_OK


def test_release_signed_by_two_keys_is_verified_by_either(place):
    assert make("press.kwu", "--key", "other.key") == EXIT_OK
    for name in ("press", "other"):
        assert app.run(["release", "verify", "press.kwu", "--key", f"{name}.key.pub"]) == EXIT_OK


def test_release_with_one_bit_flipped_or_cut_off_is_never_verified(place):
    assert make("press.kwu") == EXIT_OK
    raw = (place / "press.kwu").read_bytes()
    modulus = keys.read_public(place / "press.key.pub")
    assert container.read(raw, "it").signer(modulus)
    rng = random.Random(9)
    bits = [*range(8 * 8), *(rng.randrange(8 * len(raw)) for _ in range(FLIPS))]
    damaged = [raw[:size] for size in (0, 1, 7, 8, 100, 500, len(raw) - 1)] + [raw + b"\x00"]
    for bit in bits:
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        damaged.append(bytes(flipped))
    broken = unsigned = 0
    for each in damaged:
        try:
            unsigned += container.read(each, "it").signer(modulus) is None
        except VerificationError:
            broken += 1
    # Whole and not signed: a bit of the signature, of the key's id, or of what the head says.
    assert unsigned and broken and unsigned + broken == len(damaged)
    for each in damaged[:6]:
        (place / "bad.kwu").write_bytes(each)
        assert app.run(["release", "verify", "bad.kwu", "--key", "press.key.pub"]) == EXIT_VERIFICATION


def test_wrong_passphrase_signs_nothing(place, monkeypatch, capsys):
    monkeypatch.setenv("KITTIWAKE_RELEASE_PASSPHRASE", "another passphrase")
    assert make("press.kwu") == EXIT_USAGE
    assert "does not open" in capsys.readouterr().err
    assert not (place / "press.kwu").exists()


def test_public_key_in_place_of_a_private_one_and_the_other_way_round_is_refused(place, capsys):
    assert make("press.kwu", key="press.key.pub") == EXIT_USAGE
    assert make("press.kwu") == EXIT_OK
    assert app.run(["release", "verify", "press.kwu", "--key", "press.key"]) == EXIT_USAGE


@pytest.mark.parametrize("board", ["moon", "qemu-moon", ""])
def test_unknown_board_is_named(place, capsys, board):
    assert make("press.kwu", "--board", board) == EXIT_USAGE
    assert repr(board) in capsys.readouterr().err


def test_model_that_no_channel_listens_for_is_refused(place, capsys):
    (place / "node.toml").write_text('[[channels]]\nsource = {kind = "link"}\n')
    (place / "word.kwm").write_bytes(b"plan")
    assert make("press.kwu", "-c", "node.toml", "-m", "word.kwm") == EXIT_USAGE
    assert "word.kwm" in capsys.readouterr().err
