"""Debian's Chromium, driven by Playwright; one for a file's tests, since Playwright holds the thread's event loop."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.waiting import until
from tests.window.plant import Command, Plant, Window
from tools import system

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="package")
def plant(tmp_path_factory):
    """Two boards, bridge, broker, history and a window: started once, and left as they were by every test."""
    folder = tmp_path_factory.mktemp("plant")
    database = folder / "h.sqlite"
    with Plant(folder, ("press-1", "press-2")) as plant:
        plant.database = database
        history = plant.history = Command(
            ["history", "run", "--broker", plant.broker.url, "--database", str(database)], folder / "history.log"
        )
        history.start()
        options = ["--database", str(database), "--rollouts", str(folder / "rollouts.sqlite")]
        options += ["--releases", str(folder), "--inventory", str(folder / "fleet.sqlite")]
        plant.new_window = lambda port=0: Window(plant.broker.url, folder, *options, port=port)
        with plant.new_window() as plant.window:
            until(lambda: "0 rows" in history.text, lambda: history.text, 20, 0.1)
            plant.bridge.start()
            yield plant
            assert "Traceback" not in plant.window.text
            plant.window.stop()
        history.stop()


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = system.find("chromium")
    if program is None:
        pytest.skip("chromium missing")
    # Debian's wrapper reads this; without it, it looks for files of a desktop.
    os.environ.setdefault("CHROMIUM_FLAGS", "")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield opened
        opened.close()


def accessibility_faults(page):
    """What axe finds wrong, and what a phone has no room for: a line each. In the dark only colours differ."""
    faults = []
    size = page.viewport_size
    for scheme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=options).response["violations"]
        faults += [f"{scheme}: {one['id']}: {one['nodes'][0]['html']}" for one in found]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("scrolls sideways on a phone")
    page.set_viewport_size(size)
    return faults


def picture(page, name):
    """Keep a picture of the page, where KITTIWAKE_PICTURES names a folder; `make pictures` does."""
    folder = os.environ.get("KITTIWAKE_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"window-{name}.png")
