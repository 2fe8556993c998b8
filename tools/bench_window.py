"""How fast the window is, in a real Chromium: `python tools/bench_window.py [--seconds N] [--json]`.

Devices that do not exist publish a summary each a second to one Mosquitto; a history in SQLite holds a year of minutes.
Shares of a core are of one; the page's are of the process that renders it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.mosquitto import Mosquitto  # noqa: E402
from tools import system  # noqa: E402
from tools.bench_process import Process  # noqa: E402
from tools.window_load import YEAR_MINUTES, Load, write_year  # noqa: E402

DEVICES = 200
# Debian's Chromium without what a desktop has.
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# A window that has just opened loads pages of Chromium's own (its address bar's list), on both cores.
_AT_REST_MS = 2000
# When a record came, and when the plot was painted after it.
_WATCH_POINTS = """() => {
  window.late = [];
  const waiting = [];
  const take = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (kind, listener) {
    return take.call(this, kind, (event) => {
      if (kind === "record") waiting.push(Date.parse(JSON.parse(event.data).ts));
      listener(event);
    });
  };
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    clear.apply(this, area);
    const own = waiting.splice(0);
    requestAnimationFrame(() => window.late.push(...own.map((ts) => Date.now() - ts)));
  };
}"""
_COUNT_FRAMES = """() => {
  window.frames_ms = [];
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...area) {
    clear.apply(this, area);
    window.frames_ms.push(performance.now());
  };
}"""


def first_view_ms(browser: Any, url: str, rounds: int) -> list[float]:
    """Measure the time from the address to the list of devices, each with an empty cache in a window that is at rest.

    Args:
        browser: Playwright's.
        url: of the window.
        rounds: how often.
    """
    took = []
    for _ in range(rounds):
        context = browser.new_context()
        page = context.new_page()
        page.wait_for_timeout(_AT_REST_MS)
        began_s = time.monotonic()
        page.goto(url, wait_until="commit")
        page.locator("table.devices tbody tr >> nth=0").wait_for()
        took.append(1000 * (time.monotonic() - began_s))
        context.close()
    return took


def points_late_ms(browser: Any, url: str, seconds: float) -> list[float]:
    """Measure from each record's time to the frame in which the plot shows it.

    Args:
        browser: Playwright's.
        url: of the window.
        seconds: for how long.
    """
    page = browser.new_page()
    page.add_init_script(f"({_WATCH_POINTS})()")
    page.goto(f"{url}#/device/device-0")
    page.locator("figure.main canvas").wait_for()
    page.wait_for_timeout(2000)
    page.evaluate("() => { window.late.length = 0; }")
    page.wait_for_timeout(1000 * seconds)
    late: list[float] = page.evaluate("window.late")
    page.close()
    return late


def year_frames(browser: Any, url: str, seconds: float) -> dict[str, float]:
    """Zoom and pan over a year with the mouse as somebody does, and count the frames in which the plot moved.

    Args:
        browser: Playwright's.
        url: of the window.
        seconds: for how long.
    """
    page = browser.new_page(viewport={"width": 1200, "height": 820})
    page.add_init_script(f"({_COUNT_FRAMES})()")
    page.goto(f"{url}#/device/device-0")
    page.get_by_role("button", name="1 y", exact=True).click()
    page.locator("main > [role=status]", has_text="exact sums of").wait_for()
    box = page.locator("figure.main canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.evaluate("() => { window.frames_ms.length = 0; }")
    page.keyboard.down("Control")
    step, end_s = 0, time.monotonic() + seconds / 2
    while time.monotonic() < end_s:
        page.mouse.wheel(0, -20 if step % 60 < 40 else 20)
        step += 1
    page.keyboard.up("Control")
    page.keyboard.down("Shift")
    page.mouse.down()
    end_s = time.monotonic() + seconds / 2
    while time.monotonic() < end_s:
        page.mouse.move(x + 150 * (step % 40 - 20) / 20, y)
        step += 1
    page.mouse.up()
    page.keyboard.up("Shift")
    frames: list[float] = page.evaluate("window.frames_ms")
    page.close()
    gaps = [b - a for a, b in zip(frames, frames[1:], strict=False)]
    return {
        "frames_a_second": round(1000 * len(gaps) / (frames[-1] - frames[0]), 1),
        "frame_p95_ms": round(statistics.quantiles(gaps, n=20)[-1], 1),
    }


def soak(browser: Any, window: Process, url: str, seconds: float) -> dict[str, float]:
    """Leave the page Now open, and measure what it costs and whether anything grows.

    Args:
        browser: Playwright's.
        window: its process.
        url: of it.
        seconds: for how long; memory is compared from a sixth on.
    """
    page = browser.new_page()
    page.goto(url)
    page.locator("table.devices tbody tr >> nth=0").wait_for()
    page.wait_for_timeout(3000)
    cdp, metrics = browser.new_browser_cdp_session(), page.context.new_cdp_session(page)
    metrics.send("Performance.enable")

    def renderers_s() -> float:
        processes = cdp.send("SystemInfo.getProcessInfo")["processInfo"]
        return float(sum(one["cpuTime"] for one in processes if one["type"] == "renderer"))

    def heap_mb() -> float:
        metrics.send("HeapProfiler.collectGarbage")
        values = {one["name"]: one["value"] for one in metrics.send("Performance.getMetrics")["metrics"]}
        return float(values["JSHeapUsedSize"]) / 1e6

    page.wait_for_timeout(1000 * seconds / 6)
    heap, server = heap_mb(), resident_mb(window)
    began_s, cpu_s = time.monotonic(), renderers_s()
    window.mark()
    page.wait_for_timeout(1000 * seconds * 5 / 6)
    percent, took_s = window.cpu_percent(), time.monotonic() - began_s
    figures = {
        "server_percent": round(percent, 1),
        "page_percent": round(100 * (renderers_s() - cpu_s) / took_s, 1),
        "soak_s": round(took_s),
        "server_growth_mb": round(resident_mb(window) - server, 2),
        "page_growth_mb": round(heap_mb() - heap, 2),
        "server_mb": round(resident_mb(window), 1),
        "page_heap_mb": round(heap, 1),
    }
    page.close()
    return figures


def resident_mb(process: Process) -> float:
    """Memory that a process holds.

    Args:
        process: which.
    """
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1000


def measure(folder: Path, seconds: float, minutes: int) -> dict[str, Any]:
    """Measure all of it.

    Args:
        folder: for files.
        seconds: that the page is left open.
        minutes: of the history.
    """
    from playwright.sync_api import sync_playwright

    database = folder / "h.sqlite"
    write_year(database, minutes)
    broker = Mosquitto(folder)
    broker.start()
    load = Load(broker.port, DEVICES)
    load.start()
    command = [sys.executable, "-m", "kittiwake", "window", "--broker", broker.url, "--listen", "127.0.0.1:0"]
    command += ["--database", str(database), "--notes", str(folder / "notes.sqlite")]
    with (folder / "window.log").open("w") as log, Process(command, stderr=log) as window, sync_playwright() as api:
        while "http://" not in (folder / "window.log").read_text():
            time.sleep(0.05)
        url = (folder / "window.log").read_text().split("window: ")[1].split()[0]
        browser = api.chromium.launch(executable_path=system.find("chromium"), args=FLAGS)
        time.sleep(2)
        figures: dict[str, Any] = {"devices": DEVICES, "records_a_second": DEVICES, "minutes": minutes}
        first = first_view_ms(browser, url, 5)
        figures |= {"first_view_ms": [round(one) for one in first]}
        figures |= soak(browser, window, url, seconds)
        late = points_late_ms(browser, url, 30)
        figures |= {"points": len(late), "point_p95_ms": round(statistics.quantiles(late, n=20)[-1])}
        figures |= {"point_median_ms": round(statistics.median(late))}
        figures |= year_frames(browser, url, 10)
        browser.close()
    load.stop()
    broker.stop()
    return figures


def main(argv: list[str] | None = None) -> int:
    """Run the measurement.

    Args:
        argv: arguments; None for the command line's.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="for which the page is left open")
    parser.add_argument("--minutes", type=int, default=YEAR_MINUTES, help="of the history")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="kittiwake-window-") as folder:
        figures = measure(Path(folder), options.seconds, options.minutes)
    print(json.dumps(figures) if options.json else "\n".join(f"{name:<20} {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
