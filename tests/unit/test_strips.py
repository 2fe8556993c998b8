"""Strips of a network: which rows each takes, by hand; where a graph can be cut; what cutting is worth."""

import dataclasses

import pytest

from kittiwake.bench.cases import ds_cnn
from kittiwake.bench.cases.made_net import Net
from kittiwake.model import compiler, inform
from kittiwake.model.emit import cost
from kittiwake.model.read import strips
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.read.strips import Rows
from tests.support.image_networks import first_layers_large


def pair():
    """Rows: 6 of the image, 6 behind a filter of 3, 3 behind one of 3 and a stride of 2."""
    net = Net()
    image = net.tensor((1, 6, 6, 1), scales=(0.0625,), zero_points=(3,))
    first = net.convolution(image, (3, 3), (1, 1), 4)
    second = net.convolution(first, (3, 3), (2, 2), 8)
    return net.ended(image, second, 2), image, first, second


def test_rows_that_strips_take_are_those_counted_by_hand():
    graph, image, first, second = pair()
    (region,) = [r for r in strips.regions(graph.main) if r.result == second]
    assert (region.first, region.last, region.entry) == (0, 1, image)
    # TFLite pads a stride of 2 over 6 rows below only: outputs 0, 1, 2 see rows 0-2, 2-4, 4-6, and row 6 is padding.
    for result, seen, whole in ((0, (0, 3), (0, 4)), (1, (2, 5), (1, 6)), (2, (4, 6), (3, 6))):
        needed = strips.needs(graph.main, region, result, result + 1)
        assert needed == {second: Rows(result, result + 1), first: Rows(*seen), image: Rows(*whole)}
    one, two = graph.main.operators[:2]
    assert [strips.rows_of(graph.main, one, *seen) for seen in ((0, 3), (2, 5), (4, 6))] == [
        Rows(0, 4, above=1),
        Rows(1, 6),
        Rows(3, 6, below=1),
    ]
    assert [strips.rows_of(graph.main, two, row, row + 1) for row in range(3)] == [
        Rows(0, 3),
        Rows(2, 5),
        Rows(4, 6, below=1),
    ]


@pytest.mark.parametrize(
    ("rows", "count", "expected"), [(7, 3, [(0, 2), (2, 4), (4, 7)]), (3, 3, [(0, 1), (1, 2), (2, 3)])]
)
def test_rows_are_cut_into_strips_of_about_the_same_height(rows, count, expected):
    assert strips.borders(rows, count) == expected


def test_region_ends_where_another_operator_reads_what_lies_inside():
    graph, image, first, second = pair()
    main = dataclasses.replace(graph.main, outputs=(*graph.main.outputs, first))
    assert not [r for r in strips.regions(main) if r.result == second and r.entry == image]


def test_first_layers_are_cut_where_that_lowers_the_peak_and_costs_what_is_allowed():
    graph = first_layers_large(64)
    whole = compiler.compile_graph(graph, "dsp", slower_percent=0)
    made = compiler.compile_graph(graph, "dsp")
    assert not whole.tiling.cuts and made.tiling.cuts
    assert made.tiling.whole.ram == whole.scratch + whole.state
    assert made.scratch + made.state < 0.9 * (whole.scratch + whole.state)
    instructions = [cost.instructions(each.program, "dsp") for each in (whole, made)]
    assert instructions[0] < instructions[1] < 1.1 * instructions[0]
    # A plan grows by descriptors alone: weights are there once.
    assert len(made.plan) - len(whole.plan) < 120 * (len(made.program.steps) - len(whole.program.steps))


def test_budget_of_ram_has_more_computed_twice_and_what_cannot_be_met_is_refused():
    graph = first_layers_large(64)
    usual = compiler.compile_graph(graph)
    least = compiler.compile_graph(graph, slower_percent=100)
    within = least.scratch + least.state
    assert within < usual.scratch + usual.state
    made = compiler.compile_graph(graph, ram_bytes=within)
    assert made.scratch + made.state <= within
    with pytest.raises(ModelRefused, match="the budget is 4096"):
        compiler.compile_graph(graph, ram_bytes=4096)
    with pytest.raises(ModelRefused):
        compiler.compile_graph(graph, ram_bytes=within, slower_percent=0)


def test_network_whose_layers_are_alike_is_not_cut():
    assert not compiler.compile_graph(ds_cnn.graph(), "dsp").tiling.cuts


def test_info_has_one_row_for_all_strips_and_says_what_they_save():
    made = compiler.compile_graph(first_layers_large(64), "dsp")
    facts = inform.facts(made)
    (cut,) = facts["strips"]
    assert cut["first"] == 0 and cut["strips"] > 1
    cut_rows = [row for row in facts["layers"] if row["source"].partition(" ")[0] in map(str, range(cut["last"] + 1))]
    assert len({(row["source"], row["kernel"]) for row in cut_rows}) == len(cut_rows)
    assert {row["steps"] for row in cut_rows} >= {cut["strips"]}
    assert sum(row["steps"] for row in facts["layers"]) == len(made.program.steps)
    assert sum(row["instructions"]["dsp"] for row in facts["layers"]) == pytest.approx(
        facts["instructions"]["dsp"], rel=0.001
    )
    assert facts["whole"]["ram_bytes"] > facts["total"]["ram_bytes"]
    assert facts["total"]["macs"] > facts["whole"]["macs"]
    assert max(row["ram_bytes"] for row in facts["layers"]) <= facts["total"]["scratch_bytes"]
