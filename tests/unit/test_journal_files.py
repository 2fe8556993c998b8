"""Names of a journal's files come from the board, and are believed only as far as a journal has them."""

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.journal import pull


class Board:
    """Lists one file and gives its content, whatever it is called."""

    def __init__(self, line):
        self._replies = iter(["", f"{line}\n", "0 AAAA\n"])

    def exec(self, source, timeout_s=0.0):
        return next(self._replies)


@pytest.mark.parametrize(
    "line",
    ["3 ../a", "3 /etc/passwd", "3 log/../../a", "3 log/..", "3 log/", "3 other/a", "3 a", "x log/a", "-3 log/a", "3"],
)
def test_file_that_no_journal_has_is_refused(line):
    # Regression: a name with ".." was written where it pointed to.
    with pytest.raises(KittiwakeError, match="lists a file that no journal has"):
        pull.pull_files(Board(line), {"kind": "folder", "path": "/flash"})
