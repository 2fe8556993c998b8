"""Networks in strips: the bytes of TFLite Micro, wherever they are cut and however high the strips are."""

import os
import random
from collections import Counter

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model.emit import arena, kwm
from kittiwake.model.lower import lowering, weights
from kittiwake.model.read import flatbuffer, folding, islands, shapes, strips
from tests.parity import models
from tests.parity.boards import ThisProcess
from tests.support import network_tally
from tests.support.tflite_images import random_image_network

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
NETWORKS = 1500 if SOAK else 40
CUTS = 4  # of a network
WANTED = {
    *(*shapes.FILTERS, *strips.POOLS, "PAD", "RELU", "LOGISTIC", "TANH", "QUANTIZE", "ADD", "MUL", "CONCATENATION"),
    *("stride of 2", "stride of 3", "padding same", "padding valid", "dilation", "strips of one row"),
}


def cut_plan(graph, isa, region, count):
    """A plan in strips, whatever they cost; None where a strip would lie in padding alone."""
    main = graph.main
    parts = strips.borders(main.tensors[region.result].shape[1], count)
    if any(strips.needs(main, region, *part) is None for part in parts):
        return None
    layout = weights.LAYOUT_OF[isa]
    program = lowering.lower(strips.cut(graph, [(region, count)]), layout)
    return kwm.write(program, layout, *arena.place(program))


def cuts_of(graph, seed):
    """Regions of a graph, and in how many strips each is cut: down to single rows."""
    chance = random.Random(seed)
    found = list(strips.regions(graph.main))
    for region in chance.sample(found, min(CUTS, len(found))):
        rows = graph.main.tensors[region.result].shape[1]
        yield region, chance.choice((2, min(3, rows), rows, chance.randint(2, rows)))


def read(content):
    return islands.join(folding.fold(flatbuffer.read(content, "network")))


def covered(main, region, count):
    """What of operators and windows a region has."""
    for op in main.operators[region.first : region.last + 1]:
        yield op.kind
        if "stride" in op.options:
            yield f"stride of {op.options['stride'][0]}"
            yield f"padding {op.options['padding']}"
        if op.options.get("dilation", (1, 1))[0] > 1:
            yield "dilation"
    if count == main.tensors[region.result].shape[1]:
        yield "strips of one row"


@pytest.mark.timeout(3600 if SOAK else 120)
def test_random_networks_in_strips_equal_tflite_micro(unix, micro):
    seen = Counter()
    for seed in range(NETWORKS):
        content, size = random_image_network(seed)
        graph, data = read(content), models.inputs(size, 4, seed)
        expected, _ = micro.run(content, data)
        for number, (region, count) in enumerate(cuts_of(graph, seed)):
            # Most by viper; each layout by the definition, in turn.
            by_definition = seed % 10 == 0 and number == 0
            isa = ("viper", "thumb2", "dsp")[seed // 10 % 3] if by_definition else "viper"
            plan = cut_plan(graph, isa, region, count)
            if plan is None:
                continue
            board, kernel = (ThisProcess(), "plain") if by_definition else (unix, "viper")
            assert models.run(board, kernel, plan, data) == expected, (seed, region, count)
            network_tally.add(board.name, kernel, "strips", len(data))
            seen.update(covered(graph.main, region, count))
    assert set(seen) >= WANTED


def test_strips_that_lack_a_row_give_other_bytes(unix, micro, monkeypatch):
    """Shows that the comparison can fail: every filter's strip begins a row too early."""
    rows_of = strips.rows_of

    def shifted(main, op, start, stop):
        rows = rows_of(main, op, start, stop)
        if op.kind not in shapes.FILTERS or not rows.start:
            return rows
        return strips.Rows(rows.start - 1, rows.stop - 1, rows.above, rows.below)

    wrong = 0
    monkeypatch.setattr(strips, "rows_of", shifted)
    for seed in range(NETWORKS // 4):
        content, size = random_image_network(seed)
        graph, data = read(content), models.inputs(size, 4, seed)
        for region, count in cuts_of(graph, seed):
            plan = cut_plan(graph, "viper", region, count)
            if plan is not None:
                wrong += models.run(unix, "viper", plan, data) != micro.run(content, data)[0]
    assert wrong > 2
