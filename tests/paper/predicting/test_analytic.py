"""The analytic model against times that are worked out by hand on the paper machine."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from paper_models import paper_bert
from paper_predictions import MODULE_CALL_NS, PLAN, TOKENIZER, ceilings
from paper_roofline import DISPATCH_NS

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import Compiling, Plan
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.dispatching import module_calls
from cyclescope.predicting.evidence import NO_ERRORS
from predicting.paper_products import product


def test_an_operation_takes_its_dispatch_and_the_larger_of_its_limits() -> None:
    graph = product()
    durations = AnalyticModel().predict(graph, PLAN, ceilings())
    bounds = find_lower_bounds(graph, ceilings(), 1)
    by_hand = 2 * 256**3 / 100  # 100 FLOPs a nanosecond at 256 rows
    assert bounds.compute_ns[0] == pytest.approx(by_hand)
    assert bounds.memory_ns[0] < by_hand
    op_ns = durations.slot_ns[graph.slots.of_op]
    assert op_ns == pytest.approx([DISPATCH_NS + by_hand, DISPATCH_NS])  # a view is dispatched, and moves nothing


def test_between_operations_pass_the_calls_of_modules() -> None:
    graph = paper_bert(2)
    durations = AnalyticModel(text_ns_per_byte=TOKENIZER).predict(graph, PLAN, ceilings())
    between = graph.slots.op < 0
    modules = sum(1 for k, frame in enumerate(graph.frames) if k and frame.stage != "tokenize")
    assert module_calls(graph).sum() == pytest.approx(modules)
    assert durations.slot_ns[between].sum() == pytest.approx(modules * MODULE_CALL_NS)


@pytest.mark.parametrize("plan", [replace(PLAN, engine="onnxruntime"), replace(PLAN, compiling=Compiling.INDUCTOR)])
def test_no_python_runs_between_the_operations_of_an_engine_that_runs_the_whole(plan: Plan) -> None:
    graph = product()
    durations = AnalyticModel().predict(graph, plan, ceilings())
    assert durations.slot_ns[graph.slots.op < 0].sum() == 0


def test_the_time_of_a_tokenizer_is_unknown_and_not_zero() -> None:
    graph = paper_bert(1)
    text = graph.slots.of_op[graph.of_kind(OpKind.TEXT)]
    assert np.isnan(AnalyticModel().predict(graph, PLAN, ceilings()).slot_ns[text]).all()
    known = AnalyticModel(text_ns_per_byte=TOKENIZER).predict(graph, PLAN, ceilings())
    assert known.slot_ns[text] == pytest.approx(10.0 * (45 + 8 * 16))
    assert not np.isnan(known.slot_ns).any()


def test_a_type_without_a_figure_is_refused_by_name() -> None:
    with pytest.raises(Unsupported, match="no figure for matrix products in bfloat16") as refused:
        AnalyticModel().predict(product("bfloat16"), PLAN, ceilings())
    assert "float32" in str(refused.value.cause)
    assert "calibrate" in str(refused.value.way_out)


def test_a_machine_without_memory_is_refused() -> None:
    with pytest.raises(Unsupported, match="bandwidth of its memory"):
        AnalyticModel().predict(product(), PLAN, replace(ceilings(), bandwidths=()))


def test_a_few_products_of_an_unknown_type_are_a_note() -> None:
    b = GraphBuilder()
    with b.frame("", "Model"):
        for dtype, rows in (("float32", 256), ("float64", 8)):
            x, w = (b.tensor((rows, rows), dtype, TensorRole.PARAMETER) for _ in range(2))
            y = b.tensor((rows, rows), dtype)
            size = b.spec(y).bytes
            b.op("matmul", OpKind.MATMUL, [x, w], [y], Cost(2 * rows**3, 0, 2 * size, size))
    durations = AnalyticModel().predict(b.build(), PLAN, ceilings())
    assert ["float64" in str(note) for note in durations.notes] == [True]
    assert (durations.slot_ns[b.build().slots.of_op] > DISPATCH_NS).all()


def test_threads_that_were_not_measured_lie_outside_and_widen() -> None:
    inside = AnalyticModel().predict(product(), PLAN, ceilings())
    outside = AnalyticModel().predict(product(), replace(PLAN, threads=8), ceilings())
    assert (inside.widening, inside.outside) == (1.0, ())
    assert outside.widening == pytest.approx(1 + math.log(8 / 2))
    assert "8 threads" in str(outside.outside[0])


def datasheet(launch: float | None = None) -> Ceilings:
    """A device of which a maker states products and memory."""
    return Ceilings(
        Origin.DATASHEET,
        "Paper Device",
        "",
        "2026-01-02T00:00:00Z",
        (ProductCeiling("float32", 1, 0, Figure.stated(1e12, "maker")),),
        (BandwidthCeiling("memory", 0, 0, Figure.stated(1e12, "maker")),),
        Overheads(launch_ns=Figure(launch, launch, launch, 9, "probe") if launch else None),
    )


def test_a_device_takes_the_larger_of_kernel_and_launch() -> None:
    graph, plan = product(), replace(PLAN, device="cuda", threads=0)
    kernel = 2 * 256**3 / 1000
    free = AnalyticModel().predict(graph, plan, datasheet())
    assert free.slot_ns.sum() == pytest.approx(kernel)
    assert "launch" in str(free.notes[0])
    launch = 5 * kernel
    bound = AnalyticModel().predict(graph, plan, datasheet(launch))
    assert bound.slot_ns[: graph.slots.of_op[0] + 1].sum() == pytest.approx(
        launch + kernel
    )  # nothing before it overlaps
    assert not bound.notes


def test_without_evidence_there_are_no_errors() -> None:
    assert AnalyticModel().predict(product(), replace(PLAN, engine="unheard of"), ceilings()).errors == NO_ERRORS
