"""The page of a run: tests as rows, boards as columns, figures beside earlier ones, a board's words never markup."""

import re
from html.parser import HTMLParser

import pytest

from kittiwake.errors import ConfigError
from kittiwake.hil import page
from kittiwake.pytest_plugin_figures import row_of


def entry(row, board, outcome="passed", test=None, **more):
    return {
        "test": test or f"{row}[{board}]",
        "row": row,
        "board": board,
        "micropython": "micropython 1.28.0",
        "cpu": "a chip",
        "outcome": outcome,
        "seconds": 1.0,
        "figures": {},
        "console": "",
        "why": "",
        "files": {},
        **more,
    }


class Rows(HTMLParser):
    """Texts of the cells, row by row, and every tag; a tag that is closed out of order fails."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self._open = [], [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "tr" in self._open and self.rows[-1]:
            self.rows[-1][-1] += data


def test_page_has_boards_as_columns_and_tests_as_rows():
    text = page.page(
        [
            entry("t.py::one", "unix"),
            entry("t.py::two", "unix", "skipped", why="unix lacks i2c"),
            entry("t.py::one", "qemu:virt", "failed", why="assert 1 == 2"),
        ],
        {},
    )
    head, one, two = Rows(text).rows
    assert [word.split("micropython")[0] for word in head] == ["Test", "unix", "qemu:virt"]
    assert one == ["t.py::one", "passed", "failed"]
    assert two == ["t.py::two", "skippedunix lacks i2c", "–"]
    assert "1 passed, 1 failed, 1 skipped" in text and "t.py::one on qemu:virt" in text and "assert 1 == 2" in text


def test_page_counts_repeats_and_names_a_flaky_test():
    runs = [entry("one", "unix", "failed" if step == 2 else "passed", f"one[unix-{step}-4]") for step in range(4)]
    sure = [entry("two", "unix", "failed", f"two[unix-{step}-2]") for step in range(2)]
    text = page.page(runs + sure, {})
    assert Rows(text).rows[1:] == [["one", "flaky: 3 of 4 passed"], ["two", "failed, 2 times"]]
    assert "3 passed, 3 failed, 1 flaky" in text


def test_page_puts_figures_beside_those_of_an_earlier_run():
    runs = [entry("one", "unix", figures={"push": 110.0, "heap": 2048.0, "new": 5.0})]
    cells = Rows(page.page(runs, {"one[unix]": {"push": 100.0, "heap": 4096.0}})).rows[1][1]
    assert cells == "passedpush: 110 (was 100, +10.0 %)heap: 2,048 (was 4,096, -50.0 %)new: 5"
    assert "(was 0)" in page.page([entry("one", "unix", figures={"x": 1.0})], {"one[unix]": {"x": 0.0}})


def test_page_shows_the_largest_figure_of_repeats_beside_its_own_baseline():
    runs = [entry("one", "unix", test=f"one[unix-{step}-2]", figures={"x": x}) for step, x in ((1, 7.0), (2, 9.0))]
    baseline = {"one[unix-1-2]": {"x": 1.0}, "one[unix-2-2]": {"x": 9.0}}
    assert "x: 9 (was 9, +0.0 %)" in Rows(page.page(runs, baseline)).rows[1][1]


def test_page_takes_nothing_of_a_board_for_markup():
    evil = "<script>alert(1)</script>\"'&"
    runs = [
        entry(evil, evil, "failed", why=evil, console=evil, files={evil: evil}, micropython=evil, cpu=evil),
        entry("s", evil, "skipped", why=evil, figures={evil: 1.0}),
    ]
    text = page.page(runs, {})
    assert "script" not in Rows(text).tags and evil not in text
    assert re.search(r'href="&lt;script&gt;', text)


def test_page_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        page.write(tmp_path, [], {})
    page.write(tmp_path / "page.html", [], {})
    assert "no test ran on a board" in (tmp_path / "page.html").read_text()


class Item:
    def __init__(self, nodeid, *parameters):
        self.nodeid, self.callspec = nodeid, self
        self.params = dict.fromkeys(parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "row"),
    [
        ("t.py::one[unix]", (), "t.py::one"),
        ("t.py::one[unix-3]", (), "t.py::one[3]"),
        ("t.py::one[3-unix]", (), "t.py::one[3]"),
        ("t.py::one[a-unix-[b]]", (), "t.py::one[a-[b]]"),
        ("t.py::one[unix-2-3]", ("__pytest_repeat_step_number",), "t.py::one"),
        ("t.py::one[unix-x-2-3]", ("__pytest_repeat_step_number",), "t.py::one[x]"),
        ("t.py::one[unix-2-3]", (), "t.py::one[2-3]"),
        ("t.py::one[unixes-unix]", (), "t.py::one[unixes]"),
    ],
)
def test_row_is_the_test_without_board_and_repeat(name, parameters, row):
    assert row_of(Item(name, *parameters), "unix") == row
