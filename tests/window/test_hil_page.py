"""The page of a run on boards, in a browser: what it shows, that it can be used by everybody, and its links."""

from kittiwake.hil import page
from tests.unit.test_hil_page import entry
from tests.window.conftest import accessibility_faults, picture

LONG = "tests/test_ring.py::test_ring_that_has_a_long_name_gives_back_what_it_took"


def test_page_of_a_run_shows_boards_and_failures_and_leads_to_what_was_kept(browser, tmp_path):
    boards = ["unix", "qemu:virt", "qemu:mps2-an385", "qemu:xtensa"]
    runs = [entry(f"{LONG}[{number}]", board, figures={"push": 90.0}) for board in boards for number in range(12)]
    runs += [entry("tests/test_bus.py::test_bus", board, "skipped", why=f"{board} lacks i2c") for board in boards]
    runs += [entry("tests/test_log.py::test_log", "unix", "failed", f"log{step}") for step in range(2)]
    runs += [
        entry("tests/test_log.py::test_log", "unix", test="log2"),
        entry(
            "tests/test_log.py::test_log",
            "qemu:virt",
            "failed",
            why="assert 1 == 2\n" * 60,
            console="said <b>\n" * 60,
            files={"console": "run-files/log.console.txt"},
        ),
    ]
    (tmp_path / "run-files").mkdir()
    (tmp_path / "run-files/log.console.txt").write_text("kept words")
    page.write(tmp_path / "run.html", runs, {f"{LONG}[0][unix]": {"push": 100.0}})
    with browser.new_page() as shown:
        errors = []
        shown.on("console", lambda message: errors.append(message.text))
        shown.goto((tmp_path / "run.html").as_uri())
        assert shown.locator("thead th").count() == 5 and shown.locator("tbody tr").count() == 14
        assert shown.locator("td.flaky").inner_text() == "flaky: 1 of 3 passed"
        assert "push: 90 (was 100, -10.0 %)" in shown.locator("tbody tr").first.inner_text()
        assert "said <b>" in shown.locator("pre").last.inner_text()
        assert accessibility_faults(shown) == []
        picture(shown, "hil")
        shown.get_by_role("link", name="console").click()
        assert shown.inner_text("body") == "kept words" and errors == []
