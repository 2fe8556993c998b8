"""The socket by which `kittiwake bridge reload` finds its bridge: whoever says nonsense there hurts nobody."""

import asyncio
import contextlib
import json
import os

import pytest

from kittiwake.bridge import control
from kittiwake.errors import KittiwakeError


@contextlib.asynccontextmanager
async def listening(folder, config):
    asked = []

    async def reload():
        asked.append("reload")
        return {"taken": ["all"]}

    async with control.listening(config, {"reload": reload}, {"RUNTIME_DIRECTORY": str(folder)}):
        yield asked


def ask(folder, config, operation="reload"):
    return control.ask(config, operation, 5.0, {"RUNTIME_DIRECTORY": str(folder)})


def test_control_answers_who_asks_by_any_name_of_the_same_file_and_is_gone_afterwards(tmp_path):
    config, link = tmp_path / "gateway.toml", tmp_path / "link.toml"
    link.symlink_to(config)
    config.write_text("not = even toml")

    async def run():
        async with listening(tmp_path / "run", config) as asked:
            assert await asyncio.to_thread(ask, tmp_path / "run", link) == {"taken": ["all"]}
            assert asked == ["reload"]
            with pytest.raises(KittiwakeError, match="no bridge with"):
                await asyncio.to_thread(ask, tmp_path / "run", tmp_path / "other.toml")

    asyncio.run(run())
    assert list((tmp_path / "run").iterdir()) == []
    with pytest.raises(KittiwakeError, match="no bridge with"):
        ask(tmp_path / "run", config)


@pytest.mark.parametrize(
    "line",
    [b"\n", b"\xff\n", b"[" * 30000 + b"\n", b"7\n", b'{"op": ["reload"]}\n', b'{"op": "stop"}\n', b"x" * 200_000, b""],
    ids=["empty", "no text", "deep", "no object", "no name", "unknown", "endless", "nothing"],
)
def test_control_that_hears_nonsense_says_so_or_hangs_up_and_answers_the_next(tmp_path, line):
    config, folder = tmp_path / "gateway.toml", tmp_path / "run"

    async def run():
        async with listening(folder, config) as asked:
            (path,) = folder.iterdir()
            reader, writer = await asyncio.open_unix_connection(path)
            with contextlib.suppress(ConnectionError):
                writer.write(line)
                if line.endswith(b"\n"):
                    assert "problem" in json.loads(await asyncio.wait_for(reader.readline(), 5))
                else:
                    writer.write_eof()
                    await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert asked == []
            assert await asyncio.to_thread(ask, folder, config) == {"taken": ["all"]}

    asyncio.run(run())


def test_control_with_silent_clients_in_all_its_places_answers_when_they_are_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "_PATIENCE_S", 0.3)
    config, folder = tmp_path / "gateway.toml", tmp_path / "run"

    async def run():
        async with listening(folder, config):
            (path,) = folder.iterdir()
            silent = [await asyncio.open_unix_connection(path) for _ in range(20)]
            for reader, _ in silent:
                assert await asyncio.wait_for(reader.read(), 5) in (
                    b"",
                    b'{"problem": "not JSON, or nested too deep"}\n',
                )
            assert await asyncio.to_thread(ask, folder, config) == {"taken": ["all"]}
            for _, writer in silent:
                writer.close()

    asyncio.run(run())


def test_control_beside_a_bridge_with_the_same_configuration_leaves_it_alone(tmp_path, caplog):
    config, folder = tmp_path / "gateway.toml", tmp_path / "run"

    async def run():
        async with listening(folder, config) as first:
            async with listening(folder, config) as second:
                assert "another bridge with this configuration runs" in caplog.text
            await asyncio.to_thread(ask, folder, config)
            assert (first, second) == (["reload"], [])

    asyncio.run(run())


def test_control_in_a_folder_that_others_may_write_does_not_listen(tmp_path, caplog):
    folder = tmp_path / "run"
    folder.mkdir()
    os.chmod(folder, 0o777)

    async def run():
        async with listening(folder, tmp_path / "gateway.toml"):
            assert list(folder.iterdir()) == []

    asyncio.run(run())
    assert "is not ours alone" in caplog.text and "SIGHUP" in caplog.text
