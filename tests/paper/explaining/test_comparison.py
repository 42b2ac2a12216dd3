"""Two cycles side by side: the verdict, what it rests on, and what made the difference."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import NoisyMachine, in_turns
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle, slot_times

from cyclescope.core.ceilings import Ceilings, Figure, Origin
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import Batching, Cache, Compiling, Decoding, Quantization
from cyclescope.core.plan import ModelChange as PlanChange
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.changes import PartChange, Presence, part_ratio
from cyclescope.explaining.comparison import Aspect, Comparison, Difference, Limit, Verdict, Why, compare

GRAPH = paper_bert(4)
TIMES = slot_times(GRAPH)
BASE = paper_cycle(GRAPH)
PARTITIONS = ("stages", "layers", "kinds", "operations")


def noisy_pair(factor: float, count: int = 16, seed: int = 0) -> tuple[Cycle, Cycle]:
    a, b = in_turns(NoisyMachine(seed), 1e7, factor * 1e7, count)
    return tuple(
        replace(BASE, samples=replace(BASE.samples, uninstrumented=uninstrumented)) for uninstrumented in (a, b)
    )  # type: ignore[return-value]


def adds_up(comparison: Comparison) -> None:
    for name in PARTITIONS:
        deltas = [change.delta_ns for change in getattr(comparison, name)]
        assert sum(deltas) == pytest.approx(comparison.attributed_delta_ns, abs=1.0), name


def test_in_turns_a_slowdown_and_its_mirror_are_found() -> None:
    a, b = noisy_pair(1.1)
    slower, faster = compare(a, b), compare(b, a)

    assert slower.interleaved
    assert (slower.verdict, slower.why) == (Verdict.SLOWER, None)
    assert slower.ratio.low < 1.1 < slower.ratio.high
    assert faster.verdict is Verdict.FASTER
    assert slower.between_runs == 0.0


def test_a_cycle_is_not_told_apart_from_itself() -> None:
    comparison = compare(BASE, BASE)

    assert comparison.ratio.value == 1.0
    assert (comparison.verdict, comparison.why) == (Verdict.INCONCLUSIVE, Why.OPEN)
    assert comparison.differences == ()
    assert comparison.attributed_delta_ns == 0.0
    assert all(change.presence is Presence.BOTH for name in PARTITIONS for change in getattr(comparison, name))


def test_in_turns_no_difference_is_said_to_be_none() -> None:
    machine = NoisyMachine(1, wave=0.0, jitter=0.001, stalls=0.0)
    a, b = (replace(BASE, samples=replace(BASE.samples, uninstrumented=p)) for p in in_turns(machine, 1e7, 1e7, 16))

    assert compare(a, b).why is Why.SAME


def test_apart_is_widened_and_says_so() -> None:
    comparison = compare(BASE, paper_cycle(GRAPH, (TIMES * 1.1).astype(np.int64)))

    assert not comparison.interleaved
    assert comparison.between_runs > 0
    assert comparison.verdict is Verdict.INCONCLUSIVE
    known = compare(BASE, paper_cycle(GRAPH, (TIMES * 1.1).astype(np.int64)), between_runs=0.02)
    assert known.verdict is Verdict.SLOWER


def test_few_rounds_and_few_samples_give_no_verdict() -> None:
    turns = compare(*noisy_pair(2.0, 5))
    apart = compare(paper_cycle(GRAPH, runs=5), paper_cycle(GRAPH, TIMES * 3, runs=5))

    for comparison in (turns, apart):
        assert (comparison.verdict, comparison.why) == (Verdict.INCONCLUSIVE, Why.TOO_FEW)
        assert comparison.slower_by_more_than(0.05) is Limit.UNKNOWN


def test_load_by_others_takes_the_verdict_from_what_was_measured_apart_only() -> None:
    slow = paper_cycle(GRAPH, TIMES * 3)
    loaded = replace(slow, samples=replace(slow.samples, load=Load(other_busy=0.5)))

    assert compare(BASE, slow).verdict is Verdict.SLOWER
    assert compare(BASE, loaded).why is Why.LOADED
    a, b = (replace(c, samples=replace(c.samples, load=Load(other_busy=0.5))) for c in noisy_pair(1.5))
    assert compare(a, b).verdict is Verdict.SLOWER


@pytest.mark.parametrize(
    ("factor", "limit", "kept"), [(1.0, 0.10, Limit.KEPT), (1.3, 0.05, Limit.EXCEEDED), (1.1, 0.10, Limit.UNKNOWN)]
)
def test_a_limit_is_kept_exceeded_or_unknown(factor: float, limit: float, kept: Limit) -> None:
    assert compare(*noisy_pair(factor)).slower_by_more_than(limit) is kept


def test_a_noise_floor_beyond_use_is_no_threshold_and_gives_no_verdict_until_the_user_says_one() -> None:
    disturbed = Ceilings(Origin.MEASURED, "paper", "paper", "", (), (), noise=Figure(29.92, 1.0, 60.0, 30, "probe"))
    a, b = noisy_pair(1.5)
    b = replace(b, machine=replace(b.machine, ceilings=disturbed))
    told = compare(a, b)

    assert (told.verdict, told.why) == (Verdict.INCONCLUSIVE, Why.NOISY)
    assert (told.noise_beyond_use, told.threshold) == (29.92, 0.01)
    assert told.slower_by_more_than(0.1) is Limit.EXCEEDED  # which rests on the interval alone
    assert compare(a, b, 0.02).verdict is Verdict.SLOWER
    with pytest.raises(UsageError, match="must be a share"):
        compare(a, b, 29.92)


def test_the_noise_floor_of_either_machine_raises_the_threshold() -> None:
    noise = Ceilings(Origin.MEASURED, "paper", "paper", "", (), (), noise=Figure(0.07, 0.07, 0.07, 9, "probe"))
    noisy = replace(BASE, machine=replace(BASE.machine, ceilings=noise))

    assert compare(BASE, BASE).threshold == 0.01
    assert compare(BASE, noisy).threshold == compare(noisy, BASE).threshold == 0.07
    assert compare(BASE, noisy, 0.5).threshold == 0.5


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 2_000_000), min_size=len(TIMES), max_size=len(TIMES)).map(np.asarray),
    st.integers(1, 4),
)
def test_the_deltas_of_every_partition_add_up(times: np.ndarray, layers: int) -> None:
    other = paper_bert(layers)
    for a, b in ((BASE, paper_cycle(GRAPH, times)), (paper_cycle(GRAPH, times), paper_cycle(other))):
        adds_up(compare(a, b))


def test_a_slow_layer_is_found_as_that_layer() -> None:
    comparison = compare(BASE, paper_cycle(GRAPH, slot_times(GRAPH, slow_layer=2, factor=2.0)))
    layers = {c.layer: c for c in comparison.layers if c.layer is not None}

    assert max(layers.values(), key=lambda c: c.delta_ns).layer == 2
    ratio = layers[2].ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(2.0, rel=1e-3)
    assert layers[0].ratio is not None
    assert layers[0].ratio.low < 1 < layers[0].ratio.high


def test_layers_of_one_cycle_only_are_rows_of_their_own() -> None:
    comparison = compare(BASE, paper_cycle(paper_bert(2)))
    alone = [c for c in comparison.layers if c.presence is Presence.ONLY_A]

    assert [c.layer for c in alone] == [2, 3]
    assert all(c.b is None and c.ratio is None and c.a and c.delta_ns == -c.a.value_ns for c in alone)
    query = [c for c in comparison.operations if c.name == "encode · attention.self.query · linear"]
    assert sorted((c.presence, c.operations_a, c.operations_b) for c in query) == [
        (Presence.BOTH, 2, 2),
        (Presence.ONLY_A, 2, 0),
    ]


def test_kinds_and_the_time_between_operations() -> None:
    kinds = {c.kind: c for c in compare(BASE, paper_cycle(paper_bert(2))).kinds}

    assert {OpKind.MATMUL, OpKind.ATTENTION, None} <= kinds.keys()
    assert kinds[None].name == "python"
    assert kinds[OpKind.MATMUL].operations_a == 4 * 6 + 1


def test_parts_need_stamped_runs_on_both_sides() -> None:
    comparison = compare(BASE, paper_cycle(GRAPH, instrumented=False))

    assert not any(getattr(comparison, name) for name in PARTITIONS)
    assert comparison.attributed_delta_ns == 0.0


def test_what_differs_is_named() -> None:
    other = replace(
        BASE,
        plan=replace(BASE.plan, threads=1),
        workload=replace(BASE.workload, tokens_in=32),
        machine=replace(BASE.machine, packages=(("torch", "2.14"), ("numpy", "2.0"))),
    )

    assert compare(BASE, other).differences == (
        Difference(Aspect.TOKENS_IN, "16", "32"),
        Difference(Aspect.THREADS, "2", "1"),
        Difference(Aspect.PACKAGE, "2.13", "2.14", "torch"),
        Difference(Aspect.PACKAGE, "", "2.0", "numpy"),
    )


def test_every_field_of_a_plan_is_an_aspect() -> None:
    """A plan that gets a new field must not differ in silence."""
    others: dict[type, object] = {bool: True, int: 7, str: "other", tuple: (PlanChange("prune", 0.3),)}
    others |= {kind: list(kind)[-1] for kind in (Batching, Cache, Compiling, Decoding, Quantization)}
    changed = {
        f.name: replace(BASE, plan=replace(BASE.plan, **{f.name: others[type(getattr(BASE.plan, f.name))]}))
        for f in fields(BASE.plan)
    }

    assert [name for name, cycle in changed.items() if not compare(BASE, cycle).differences] == []


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (paper_cycle(GRAPH, runs=0), "no wall time"),
        (paper_cycle(GRAPH, runs=3, partial=True), r"\(got 3\).\nIt was interrupted"),
        (paper_generation(paper_decoder(4)), "one forward pass"),
    ],
)
def test_what_cannot_be_compared_says_why(other: Cycle, why: str) -> None:
    for a, b in ((BASE, other), (other, BASE)):
        with pytest.raises(UsageError, match=why):
            compare(a, b)


def test_generations_of_other_lengths_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="got 4 and 6"):
        compare(paper_generation(paper_decoder(4)), paper_generation(paper_decoder(6)))


def test_two_generations_can() -> None:
    cycle = paper_generation(paper_decoder(4))

    adds_up(compare(cycle, cycle))


@pytest.mark.parametrize("threshold", [-0.1, 11.0, float("nan")])
def test_an_impossible_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold"):
        compare(BASE, BASE, threshold)


def test_the_ratio_of_a_part_leans_as_its_estimates_do() -> None:
    a, b = Estimate(100.0, 90.0, 100.0, 9), Estimate(200.0, 200.0, 240.0, 9)
    ratio = part_ratio(a, b, 0.0)

    assert ratio is not None
    assert (ratio.value, ratio.low) == (2.0, pytest.approx(2.0))
    assert 2.4 < ratio.high < 2.4 / 0.9
    assert part_ratio(Estimate(0.0, 0.0, 5.0, 9), b, 0.0) is None


def named(changes: tuple[PartChange, ...], name: str) -> list[PartChange]:
    return [change for change in changes if change.name == name]


def test_python_between_operations_is_a_part_of_every_stage() -> None:
    comparison = compare(BASE, BASE)

    assert {c.stage for c in named(comparison.operations, "python")} == set(GRAPH.slots.stage)
