"""What the chaos tests share: a place for their figures."""

import pytest

from tests.support import chaos_tally


@pytest.fixture
def figures():
    """Leave a line of figures, printed as the last of the output."""
    return chaos_tally.add
