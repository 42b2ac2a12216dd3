"""Floors on graphs whose answer is known by construction, on a machine whose ceilings are round numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_generation import paper_decoder, paper_generation
from paper_html import render
from paper_models import paper_bert, paper_cycle, slot_times
from paper_roofline import DISPATCH_NS, KB, on_paper_machine, paper_ceilings

from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.comparison import compare
from cyclescope.explaining.explain import explain
from cyclescope.explaining.generation import Phase
from cyclescope.explaining.places import places
from cyclescope.explaining.roofline import Bound, Roofline, roofline
from cyclescope.report.documents.comparison import comparison_document
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.structure import structure_document
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.comparison import comparison_page
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.pages.structure import structure_page

OP_NS, PYTHON_NS = 1000, 100


def times(graph: Graph, op_ns: int = OP_NS) -> IntArray:
    return np.where(graph.slots.op >= 0, op_ns, PYTHON_NS).astype(np.int64)


def cycle_of(graph: Graph, op_ns: int = OP_NS, threads: int = 1, ceilings: Ceilings | None = None) -> Cycle:
    cycle = paper_cycle(graph, times(graph, op_ns), pace=(1.0,))
    return on_paper_machine(replace(cycle, plan=Plan(engine="paper", threads=threads)), ceilings)


def told(cycle: Cycle, datasheet: Ceilings | None = None) -> Roofline:
    wall = float(np.median(cycle.samples.uninstrumented.wall_ns)) if len(cycle.samples.uninstrumented) else 0.0
    found = roofline(cycle, attribute(cycle), places(cycle.graph), wall, datasheet)
    assert found is not None
    return found


def floats(b: GraphBuilder, *shape: int, role: TensorRole = TensorRole.ACTIVATION) -> int:
    return b.tensor(shape, role=role)


def product(b: GraphBuilder, m: int, k: int, n: int) -> int:
    """A linear layer on an input of m rows."""
    x, w, y = floats(b, m, k, role=TensorRole.INPUT), floats(b, n, k, role=TensorRole.PARAMETER), floats(b, m, n)
    return b.op("linear", OpKind.MATMUL, [x, w], [y], Cost(2 * m * k * n, 0, 4 * (m * k + k * n), 4 * m * n))


def moving(b: GraphBuilder, kilobytes: int, kind: OpKind = OpKind.ELEMENTWISE, rounds: int = 1) -> None:
    """Operations that read an input of so many kilobytes and hand nothing on."""
    x = floats(b, 256 * kilobytes, role=TensorRole.INPUT)
    for _ in range(rounds):
        b.op("sum", kind, [x], [], Cost(0, 256 * kilobytes, kilobytes * KB, 0))


def one(b: GraphBuilder, threads: int = 1) -> tuple[Bound, str, float]:
    """Bound, level and floor of the last operation."""
    found = told(cycle_of(b.build(), threads=threads))
    return found.bounds[-1], found.levels[-1], float(found.floor_ns[-1])


@pytest.mark.parametrize(("rows", "rate"), [(256, 100), (512, 100), (16, 10), (1, 1), (64, 10 * 10**0.5)])
def test_a_product_is_bound_by_the_ceiling_of_its_smallest_dimension(rows: int, rate: float) -> None:
    b = GraphBuilder()
    product(b, rows, 512, 512)
    found = told(cycle_of(b.build()))

    # 64 rows lie half way between 16 and 256 on the log scale, and so does their ceiling between 10 and 100.
    assert found.compute_ns[0] == pytest.approx(2 * rows * 512 * 512 / rate)


def test_a_large_product_is_bound_by_compute() -> None:
    b = GraphBuilder()
    product(b, 512, 512, 512)

    bound, _, floor = one(b)
    assert bound is Bound.COMPUTE
    assert floor == pytest.approx(2 * 512**3 / 100)


def test_two_threads_compute_twice_as_fast() -> None:
    b = GraphBuilder()
    product(b, 512, 512, 512)

    assert one(b, threads=2)[2] == pytest.approx(2 * 512**3 / 200)


def test_a_product_with_one_row_is_bound_by_the_memory_that_its_weights_come_from() -> None:
    b = GraphBuilder()
    w = floats(b, 256, 256, role=TensorRole.PARAMETER)
    x, y = floats(b, 1, 256, role=TensorRole.INPUT), floats(b, 1, 256)
    b.op("linear", OpKind.MATMUL, [x, w], [y], Cost(256, 0, 4 * (256 + 256 * 256), 4 * 256))

    # All 258 kB are touched once a cycle and come round; 64 kB is the most that a cache holds.
    assert one(b) == (Bound.MEMORY, "memory", pytest.approx(10 * 258))


@pytest.mark.parametrize(
    ("kilobytes", "level", "ns_per_kb"), [(4, "L1", 1), (16, "L2", 2), (64, "L3", 4), (65, "memory", 10)]
)
def test_memory_bounds_by_the_level_that_holds_what_lies_between(kilobytes: int, level: str, ns_per_kb: int) -> None:
    b = GraphBuilder()
    moving(b, kilobytes, rounds=2)
    found = told(cycle_of(b.build(), ceilings=paper_ceilings(dispatch=False)))

    assert found.bounds == (Bound.MEMORY, Bound.MEMORY)
    assert found.levels == (level, level)
    assert found.floor_ns.tolist() == pytest.approx([ns_per_kb * kilobytes] * 2)


def test_private_caches_of_two_threads_hold_twice_as_much() -> None:
    b = GraphBuilder()
    moving(b, 32)

    assert one(b)[1] == "L3"
    assert one(b, threads=2)[1] == "L2"


@pytest.mark.parametrize(("layers", "level"), [(15, "L3"), (17, "memory")])
def test_weights_come_from_memory_when_all_of_them_do_not_fit(layers: int, level: str) -> None:
    """Weights of 4 kB a layer, each read once a cycle: it is the whole model that must fit into 64 kB."""
    b = GraphBuilder()
    for _ in range(layers):
        moving(b, 4)
    found = told(cycle_of(b.build()))

    assert set(found.levels) == {level}
    assert found.memory_bytes.sum() == (4 * KB * layers if level == "memory" else 0)


def test_a_small_operation_is_bound_by_its_dispatch() -> None:
    b = GraphBuilder()
    moving(b, 2)

    assert one(b) == (Bound.OVERHEAD, "L1", DISPATCH_NS)


def test_a_view_has_no_floor_and_is_all_overhead() -> None:
    b = GraphBuilder()
    x = floats(b, 4, 4, role=TensorRole.INPUT)
    b.op("transpose", OpKind.VIEW, [x], [b.tensor((4, 4), storage=b.spec(x).storage)])

    assert one(b) == (Bound.OVERHEAD, "", 0.0)


def test_text_has_no_ceiling_and_no_gap() -> None:
    b = GraphBuilder()
    ids = b.tensor((1, 1 << 20), "int64")
    b.op("tokenize", OpKind.TEXT, [b.tensor((9,), "text", TensorRole.INPUT)], [ids], Cost(0, 0, 9, 8 << 20))
    found = told(cycle_of(b.build()))

    assert found.bounds == (Bound.NOTHING,)
    assert found.levels == ("",)
    assert (found.floor_ns[0], found.gap_ns[0]) == (pytest.approx(OP_NS), 0)
    assert found.places[0].reached is None
    assert found.memory_bytes.sum() == 0


def test_an_operation_without_a_price_has_no_ceiling_and_no_gap() -> None:
    b = GraphBuilder()
    product(b, 16, 64, 64)
    unknown = b.op("mystery", OpKind.OTHER, [0], [floats(b, 8)], Cost(), priced=False)
    found = told(cycle_of(b.build()))
    assert found.bounds[unknown] is Bound.NOTHING
    assert found.gap_ns[unknown] == 0
    assert found.floor_ns[unknown] == found.time_ns[unknown] == OP_NS
    assert found.bounds[0] is not Bound.NOTHING


def test_an_operation_without_a_price_is_told_on_every_page_and_makes_lower_bounds() -> None:
    b = GraphBuilder()
    product(b, 16, 64, 64)
    product_graph = b.build()
    b.op("mystery", OpKind.OTHER, [0], [floats(b, 8)], Cost(), priced=False)
    cycle = cycle_of(b.build())
    page, structure = to_text(cycle_page(explain(cycle))), to_text(structure_page(cycle.graph, "paper", 1, 8))
    assert "FLOPs unknown for 1 operation." in page
    assert "FLOPs unknown for 1 operation." in structure
    assert "≥ 57.0 % of the measured ceiling" in page
    assert "≥ 131 kFLOP" in structure
    assert "≥ 131 kFLOP" in render(explain(cycle))
    assert cycle_document(explain(cycle)).unpriced_operations == 1
    assert structure_document(cycle.graph, "paper", 1, 8).unpriced_operations == 1
    compared = compare(cycle, cycle_of(product_graph))
    assert "FLOPs unknown for 1 operation of A" in to_text(comparison_page(compared))
    assert "of B" not in "".join(line for line in to_text(comparison_page(compared)).splitlines() if "FLOPs" in line)
    document = comparison_document(compared)
    assert (document.a.unpriced_operations, document.b.unpriced_operations) == (1, 0)


def test_an_operation_without_work_and_without_overhead_has_no_floor() -> None:
    b = GraphBuilder()
    b.op("empty", OpKind.COPY, [], [floats(b, 0)])
    found = told(cycle_of(b.build(), ceilings=paper_ceilings(dispatch=False)))

    assert (found.floor_ns[0], found.gap_ns[0]) == (0, pytest.approx(OP_NS))
    assert found.bounds == (Bound.OVERHEAD,)


def test_a_product_of_a_type_that_nobody_measured_is_bound_by_its_memory() -> None:
    b = GraphBuilder()
    x, w, y = (b.tensor((64, 64), "int8") for _ in range(3))
    b.op("ones", OpKind.COPY, [], [x, w], Cost(0, 0, 0, 8 * KB))
    b.op("_int_mm", OpKind.MATMUL, [x, w], [y], Cost(2 * 64**3, 0, 8 * KB, 4 * KB))
    found = told(cycle_of(b.build()))

    assert found.compute_ns[1] == 0
    assert found.bounds[1] is Bound.OVERHEAD


def test_what_is_faster_than_its_floor_has_no_gap_and_is_counted() -> None:
    b = GraphBuilder()
    product(b, 512, 512, 512)
    moving(b, 2)
    found = told(cycle_of(b.build()))

    assert found.floor_ns[0] > found.time_ns[0]
    assert found.gap_ns.tolist() == [0, pytest.approx(OP_NS - DISPATCH_NS)]
    assert (found.faster, found.faster_ns) == (1, pytest.approx(OP_NS))
    assert found.floor_total_ns == pytest.approx(OP_NS + DISPATCH_NS)


def test_python_between_operations_is_gap() -> None:
    b = GraphBuilder()
    moving(b, 2)
    found = told(cycle_of(b.build()))

    assert found.python_ns == pytest.approx(2 * PYTHON_NS)
    assert found.gap_total_ns == pytest.approx(OP_NS - DISPATCH_NS + 2 * PYTHON_NS)
    assert found.total_ns == pytest.approx(found.floor_total_ns + found.gap_total_ns)


def test_utilisation_is_model_flops_and_memory_bytes_by_the_wall() -> None:
    b = GraphBuilder()
    product(b, 256, 256, 256)
    cycle = cycle_of(b.build(), op_ns=1_000_000, threads=2)
    found = told(cycle, paper_ceilings(Origin.DATASHEET, faster=2.0))
    wall = 1_000_000 + 2 * PYTHON_NS

    assert found.mfu.of_measured == pytest.approx(2 * 256**3 / (wall * 200))
    assert found.mfu.of_datasheet == pytest.approx(2 * 256**3 / (wall * 400))
    # Two threads read main memory no faster than one.
    assert found.mbu.of_measured == pytest.approx(3 * 256 * 10 / wall)
    assert found.mbu.of_datasheet == pytest.approx(3 * 256 * 5 / wall)


def test_a_datasheet_serves_where_nothing_was_calibrated() -> None:
    b = GraphBuilder()
    moving(b, 100)
    cycle = cycle_of(b.build())
    bare = replace(cycle, machine=replace(cycle.machine, ceilings=None))
    found = told(bare, paper_ceilings(Origin.DATASHEET))

    assert found.ceilings.origin is Origin.DATASHEET
    assert found.mbu.of_measured is None
    assert found.mbu.of_datasheet is not None


def test_without_ceilings_or_times_there_is_nothing_to_tell() -> None:
    graph = paper_bert(1)
    assert explain(paper_cycle(graph)).roofline is None
    assert explain(on_paper_machine(paper_cycle(graph, instrumented=False))).roofline is None
    assert explain(on_paper_machine(paper_cycle(graph))).roofline is not None


def test_places_and_bounds_add_up_to_the_cycle() -> None:
    graph = paper_bert(3)
    found = told(on_paper_machine(paper_cycle(graph, slot_times(graph))))

    for rows in (found.places, found.by_bound):
        assert sum(row.count for row in rows) == len(graph)
        assert sum(row.time_ns for row in rows) == pytest.approx(found.time_ns.sum())
        assert sum(row.gap_ns for row in rows) == pytest.approx(found.gap_ns.sum())
        assert sum(row.floor_ns for row in rows) == pytest.approx(found.floor_total_ns)
        assert [row.gap_ns for row in rows] == sorted((row.gap_ns for row in rows), reverse=True)
    assert {row.bound for row in found.by_bound} == set(found.bounds)


def test_prefill_and_decode_are_told_apart() -> None:
    graph = paper_decoder(5)
    cycle = on_paper_machine(paper_generation(graph))
    found = told(cycle)
    phases = {use.phase: use for use in found.phases}

    assert set(phases) == {Phase.PREFILL, Phase.DECODE}
    decode = phases[Phase.DECODE]
    assert decode.flops == 4 * phases[Phase.PREFILL].flops
    assert decode.mfu.of_measured == pytest.approx(decode.flops / (decode.time_ns * 200))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(OpKind)),
            st.integers(0, 10**7),
            st.integers(0, 10**6),
            st.integers(0, 300),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 50_000),
)
def test_time_is_floor_and_gap_and_no_number_is_missing(
    rows: list[tuple[OpKind, int, int, int, bool]], op_ns: int
) -> None:
    b = GraphBuilder()
    x = floats(b, 300, role=TensorRole.INPUT)
    for kind, flops, moved, width, fresh in rows:
        y = floats(b, width) if fresh else b.tensor((width,), storage=b.spec(x).storage)
        b.op("op", kind, [x], [y], Cost(flops, flops, moved, moved))
        x = y
    found = told(cycle_of(b.build(), op_ns))

    assert (found.floor_ns >= 0).all()
    assert np.isfinite(found.floor_ns).all()
    assert (found.gap_ns >= 0).all()
    assert found.gap_ns + np.minimum(found.time_ns, found.floor_ns) == pytest.approx(found.time_ns)
    used = (found.mfu.of_measured, found.mbu.of_measured)
    json.dumps([used, [row.reached for row in found.places]], allow_nan=False)
