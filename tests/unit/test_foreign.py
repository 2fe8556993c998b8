"""TensorFlow's environment for the tests is made once, by one process, and has its name only when it is whole."""

import subprocess

import pytest

from tools import foreign


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Folders that were installed into; nothing is fetched."""
    monkeypatch.setenv("KITTIWAKE_CACHE", str(tmp_path))
    monkeypatch.delenv(foreign.VARIABLE, raising=False)
    folders = []

    def install(place):
        (place / "bin").mkdir(parents=True)
        (place / "bin" / "python").touch()
        folders.append(place)

    monkeypatch.setattr(foreign, "_install", install)
    return folders


def test_foreign_is_made_once(installed):
    assert (foreign.main(), foreign.main()) == (0, 0)
    assert len(installed) == 1 and foreign.interpreter() == foreign.folder() / "bin" / "python"


def test_foreign_that_another_made_meanwhile_is_taken(installed, monkeypatch):
    monkeypatch.setattr(foreign, "_say", lambda line: None)

    def locked(folder, say):
        python = foreign.folder() / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        return original(folder, say)

    original = foreign.cache.locked
    monkeypatch.setattr(foreign.cache, "locked", locked)
    assert foreign.main() == 0 and not installed


def test_foreign_half_made_has_no_name_and_says_why(installed, monkeypatch, capsys):
    def fails(place):
        place.mkdir()
        raise subprocess.CalledProcessError(1, ["/x/python", "-m", "pip", "install", "thing"])

    monkeypatch.setattr(foreign, "_install", fails)
    assert foreign.main() == 1 and foreign.interpreter() is None
    assert [path.name for path in foreign.folder().parent.iterdir()] == ["lock"]
    assert "foreign: python -m pip install ended with 1" in capsys.readouterr().err
