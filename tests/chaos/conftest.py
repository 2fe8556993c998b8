"""The chaos part's figures: lines that tests leave, printed as the last of the output."""

import pytest

_LINES = []


@pytest.fixture
def figures():
    """Leave a line of figures."""
    return _LINES.append


def pytest_unconfigure(config):
    for line in _LINES:
        print(line)
