"""Every kernel of every board against the references, sample by sample: indexes, sums and states.

200,000 samples for each stage and kernel of an emulated board with KITTIWAKE_SOAK=1 (2,000,000 on the unix port), a
tenth of that with a seed of its own otherwise; second settings of a stage get less. tests/parity has the unix port's
millions.
"""

import pytest

from kittiwake.bench import cases
from tests.parity import stream
from tests.support import parity_tally
from tests.support.hil import SOAK

SEED = 11
SECOND = ("zscore-16-1024", "zscore-16-lagged-16", "zscore-24-256", "drift-keen", "novelty-keen")


def count_for(board, stage):
    if not SOAK or not (board.name == "unix" or board.name.startswith("qemu:")):
        return 6_000 if stage.name in SECOND else 20_000
    return 2_000_000 if board.name == "unix" and stage.name not in SECOND else 200_000


def kernels_of(board):
    facts = board.facts()
    names = cases.kernels_of(facts["arch"], facts["cpu"])
    assert len(names) >= 2  # plain, and one that is fast
    return names


def file_for(board, folder):
    return folder / "series" if board.name == "unix" or board.name.startswith("qemu:") else None


@pytest.mark.timeout(3600 if SOAK else 120)
@pytest.mark.parametrize("stage", stream.STAGES, ids=repr)
def test_kernels_of_a_board_equal_the_reference(board, stage, tmp_path):
    count = count_for(board, stage)
    wanted, detections = stream.expected(stage, count, SEED)
    assert detections > 3
    for kernel in kernels_of(board):
        lines = stream.run(board, stage, kernel, count, SEED, file_for(board, tmp_path))
        wrong = [k for k, (line, want) in enumerate(zip(lines, wanted, strict=True)) if line != want]
        assert not wrong, f"{kernel}, samples from {wrong[0] * stream.CHUNK}: {lines[wrong[0]]}; {wanted[wrong[0]]}"
        parity_tally.add(board.name, kernel, stage.name, count)


def test_parity_of_a_mutated_setting_fails(board, tmp_path):
    stage = stream.STAGES[0]
    wanted, _ = stream.expected(stage, 6_000, SEED)
    mutated = {**stage.settings, "p": 251, "q": 100}
    assert stream.run(board, stage, "viper", 6_000, SEED, tmp_path / "series", mutated) != wanted
