"""Keys of releases in a token: SoftHSM's, of a test's own, through its PKCS #11 module."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION, UsageError
from kittiwake.release import container, keys, token
from tests.support import release_keys
from tools import system

pytestmark = pytest.mark.needs("softhsm2-util")

# Its name in the package is the command group's.
VERB = importlib.import_module("kittiwake.cli.verbs.release")
PIN = "correct 1234"
MODULE = "/usr/lib/softhsm/libsofthsm2.so"
URI = f"pkcs11:token=press%20keys;object=press?module-path={MODULE}"
FIRMWARE = {"kittiwake_node/__init__.py": b"__version__ = '1'\n"}


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    """A folder with SoftHSM's configuration and a token "press keys", for this process: its module reads them once."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    tool = system.find("softhsm2-util")
    subprocess.run(
        [tool, "--init-token", "--free", "--label", "press keys", "--pin", PIN, "--so-pin", "87654321"], check=True
    )
    yield folder
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(scope="module")
def made(hsm):
    """The public half of a key that was made in the token."""
    os.environ["KITTIWAKE_RELEASE_PIN"] = PIN
    assert app.run(["release", "key", "new", str(hsm / "press.key"), "--token", URI]) == EXIT_OK
    assert not (hsm / "press.key").exists()
    del os.environ["KITTIWAKE_RELEASE_PIN"]
    return hsm / "press.key.pub"


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    monkeypatch.setattr(VERB, "_firmware", lambda: dict(FIRMWARE))
    monkeypatch.setenv("KITTIWAKE_RELEASE_PIN", PIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(output, uri=URI):
    return app.run(
        ["release", "make", "-o", output, "--key", uri, "--board", "x64", "--version", "1", "--counter", "1"]
    )


def test_key_in_a_token_signs_what_verifies_the_same_bytes_each_time(made, place, monkeypatch):
    assert make("one.kwu") == EXIT_OK
    (place / "pin").write_text(PIN + "\n")
    monkeypatch.delenv("KITTIWAKE_RELEASE_PIN")
    assert make("two.kwu", f"{URI}&pin-source=file:{place}/pin") == EXIT_OK
    assert (place / "one.kwu").read_bytes() == (place / "two.kwu").read_bytes()
    assert app.run(["release", "verify", "one.kwu", "--key", str(made)]) == EXIT_OK
    # By the library alone, as boards would be asked to trust it.
    read = container.load(Path("one.kwu"))
    assert read.signatures[0].key_id == keys.id_of(keys.read_public(made))
    damaged = bytearray((place / "one.kwu").read_bytes())
    damaged[12] ^= 1
    (place / "damaged.kwu").write_bytes(damaged)
    assert app.run(["release", "verify", "damaged.kwu", "--key", str(made)]) != EXIT_OK


def test_key_in_a_token_is_not_verified_by_another_key(place):
    keys.write_public(place / "other.pub", release_keys.modulus_of(release_keys.private_key()))
    assert make("press.kwu") == EXIT_OK
    assert app.run(["release", "verify", "press.kwu", "--key", "other.pub"]) == EXIT_VERIFICATION


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("object=press", "object=nobody", EXIT_USAGE, "no RSA key nobody"),
        ("token=press%20keys", "token=lost", EXIT_USAGE, "no token lost"),
        (MODULE, "/nowhere.so", EXIT_FAILED, "/nowhere.so"),
        ("object=press", "object=press;serial=7", EXIT_USAGE, "serial"),
        ("object=press", "", EXIT_USAGE, "token, object and module-path"),
        ("?", "?pin-value=1234&", EXIT_USAGE, "can be seen by others"),
    ],
)
def test_key_in_a_token_that_cannot_be_used_is_refused_in_one_line(place, capsys, old, new, status, says):
    assert make("x.kwu", URI.replace(old, new)) == status
    assert says in capsys.readouterr().err
    assert not (place / "x.kwu").exists()


def test_key_in_a_token_with_a_wrong_pin_is_refused_without_telling_it(place, capsys, monkeypatch):
    monkeypatch.setenv("KITTIWAKE_RELEASE_PIN", "wrong 9876")
    assert make("x.kwu") == EXIT_USAGE
    told = capsys.readouterr().err
    assert "does not open with this PIN" in told and "9876" not in told


def test_key_in_a_token_is_not_made_twice_and_writes_over_no_file(made, place, capsys):
    assert app.run(["release", "key", "new", "again.key", "--token", URI]) == EXIT_USAGE
    assert "already" in capsys.readouterr().err
    (place / "there.key.pub").touch()
    fresh = URI.replace("object=press", "object=fresh")
    assert app.run(["release", "key", "new", "there.key", "--token", fresh]) == EXIT_USAGE
    with pytest.raises(UsageError, match="no RSA key fresh"):
        token.TokenKey(token.parse(fresh), PIN.encode)


def test_key_in_a_token_of_another_exponent_is_refused(hsm, place, capsys):
    import pkcs11

    with pkcs11.lib(MODULE).get_token(token_label="press keys").open(rw=True, user_pin=PIN) as session:
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="usual")
    assert make("x.kwu", URI.replace("object=press", "object=usual")) == EXIT_USAGE
    assert "RSA-2048 with exponent 65537" in capsys.readouterr().err


def test_key_in_a_token_without_the_library_says_what_to_install(place, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert make("x.kwu") == EXIT_FAILED
    assert "kittiwake[token]" in capsys.readouterr().err
