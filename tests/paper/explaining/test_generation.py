"""A generation on paper: every phase, step and byte is known before it is measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_generation import BATCH, HIDDEN, LAYERS, OP_NS, PROMPT, PYTHON_NS, SLOPE_NS, paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import TokenSamples, UninstrumentedSamples
from cyclescope.explaining.cache import cache_bytes
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.generation import Generation, Phase
from cyclescope.explaining.metrics.observed import observe

STEPS = 8
EVEN = (1.0,)  # every run takes the same time, so that figures are exact


def told(cycle: Cycle) -> Generation:
    generation = explain(cycle).generation
    assert generation is not None
    return generation


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    return explain(paper_generation(paper_decoder(STEPS), pace=EVEN))


@pytest.fixture(scope="module")
def generation(explanation: Explanation) -> Generation:
    assert explanation.generation is not None
    return explanation.generation


def value(generation: Generation, name: str) -> float | None:
    (metric,) = [m for m in generation.metrics if m.definition.name.value == name]
    return metric.figure.value if metric.figure else None


def test_an_encoders_cycle_is_no_generation() -> None:
    assert explain(paper_cycle(paper_bert(layers=2))).generation is None


def test_phases_come_in_order_of_time(generation: Generation) -> None:
    assert [row.phase for row in generation.phases] == [
        Phase.TOKENIZE,
        Phase.PREPARE,
        Phase.PREFILL,
        Phase.DECODE,
        Phase.READ_OUT,
    ]


def test_phases_add_up_to_the_attributed_time_of_the_account(explanation: Explanation, generation: Generation) -> None:
    total = sum(row.time.value_ns for row in generation.phases)
    assert total == pytest.approx(explanation.closure.attributed_ns, rel=1e-12)
    assert sum(row.share for row in generation.phases) == pytest.approx(1)
    for row in generation.phases:
        assert row.op_ns + row.python_ns == pytest.approx(row.time.value_ns, rel=1e-12)
        assert row.time.low_ns <= row.time.value_ns <= row.time.high_ns


def test_phases_have_their_planted_times(generation: Generation) -> None:
    """An operation takes 4 µs, the Python before it 0.4; a step has an embedding, five to a layer and keys and values of
    it, a head and the choice of the token. Every frame that is stamped ends in Python of its own.
    """
    times = {row.phase: row for row in generation.phases}
    assert times[Phase.TOKENIZE].op_ns == OP_NS
    assert times[Phase.PREPARE].op_ns == OP_NS
    step_ops = 1 + LAYERS * 7 + 1 + 1
    attention = LAYERS * SLOPE_NS * sum(range(1, STEPS))
    # The seventh of a layer is its attention; the prefill's is at position 0 of the planted growth.
    assert times[Phase.PREFILL].op_ns == step_ops * OP_NS
    assert times[Phase.DECODE].op_ns == (STEPS - 1) * step_ops * OP_NS + attention


def test_steps_add_up_to_prefill_and_decode(generation: Generation) -> None:
    times = {row.phase: row.time.value_ns for row in generation.phases}
    assert [step.step for step in generation.steps] == list(range(STEPS))
    assert generation.steps[0].time.value_ns == pytest.approx(times[Phase.PREFILL], rel=1e-12)
    decode = sum(step.time.value_ns for step in generation.steps[1:])
    assert decode == pytest.approx(times[Phase.DECODE], rel=1e-12)
    for step in generation.steps:
        assert step.op_ns + step.python_ns == pytest.approx(step.time.value_ns)
        # Choosing the token: its operation and the Python before it. What follows the last step's is read-out or end.
        assert step.sample_ns >= OP_NS + PYTHON_NS


def test_positions_count_the_prompt(generation: Generation) -> None:
    assert [step.position for step in generation.steps] == [0, *range(PROMPT, PROMPT + STEPS - 1)]


def test_gaps_are_those_of_the_plain_pass(explanation: Explanation, generation: Generation) -> None:
    tokens = explanation.cycle.samples.tokens
    assert tokens is not None
    gaps = np.diff(tokens.emitted_ns[0])
    assert generation.steps[0].gap is None
    assert [step.gap.value_ns for step in generation.steps if step.gap] == gaps.tolist()
    assert np.diff(gaps).tolist() == [LAYERS * SLOPE_NS] * (STEPS - 2)


def test_the_light_pass_sees_the_same_growth_as_the_plain_one(generation: Generation) -> None:
    steps = [step.time.value_ns for step in generation.steps[1:-1]]
    assert np.diff(steps).tolist() == pytest.approx([LAYERS * SLOPE_NS] * (STEPS - 3))


def test_metrics_are_of_the_planted_times(generation: Generation, explanation: Explanation) -> None:
    tokens = explanation.cycle.samples.tokens
    assert tokens is not None
    emitted = tokens.emitted_ns[0]
    assert value(generation, "ttft") == emitted[0]
    assert value(generation, "prefill") == emitted[0] - tokens.called_ns[0]
    assert value(generation, "tpot") == (emitted[-1] - emitted[0]) / (STEPS - 1)
    assert value(generation, "growth") == LAYERS * SLOPE_NS * 1000
    assert value(generation, "e2e") == explanation.cycle.samples.uninstrumented.wall_ns[0]
    assert value(generation, "prefill-throughput") == pytest.approx(
        (BATCH * PROMPT - 1) / (emitted[0] - tokens.called_ns[0]) * 1e9
    )


def test_prefill_as_a_metric_is_the_phases_prepare_and_prefill(generation: Generation) -> None:
    """The clock points of the two are the same, but for the Python after the token came out."""
    times = {row.phase: row.time.value_ns for row in generation.phases}
    between = value(generation, "prefill")
    assert between is not None
    assert abs(times[Phase.PREPARE] + times[Phase.PREFILL] - between) <= 2 * PYTHON_NS


def test_what_grows_is_the_attention_and_nothing_else(generation: Generation) -> None:
    first, *others = generation.growth
    assert first.kind is OpKind.ATTENTION
    assert first.trend.slope == pytest.approx(LAYERS * SLOPE_NS)
    assert first.grown_ns == pytest.approx(LAYERS * SLOPE_NS * (STEPS - 2))
    assert {row.kind for row in others} >= {OpKind.MATMUL, OpKind.COPY, None}
    assert all(abs(row.trend.slope) < 1 for row in others)
    assert [row.grows for row in generation.growth] == [True] + [False] * len(others)


def test_growth_in_all_places_is_the_growth_of_a_step(generation: Generation) -> None:
    assert sum(row.trend.slope for row in generation.growth) == pytest.approx(LAYERS * SLOPE_NS, rel=1e-6)


def test_too_few_steps_have_no_growth() -> None:
    short = told(paper_generation(paper_decoder(6)))
    assert short.growth == ()
    assert value(short, "growth") is None
    assert len(told(paper_generation(paper_decoder(7))).growth) > 1


def test_one_token_is_all_prefill() -> None:
    single = told(paper_generation(paper_decoder(1)))
    assert [row.phase for row in single.phases] == [Phase.TOKENIZE, Phase.PREPARE, Phase.PREFILL, Phase.READ_OUT]
    assert [step.cache_bytes for step in single.steps] == [0]
    assert value(single, "tpot") is None
    assert value(single, "ttft") is not None


PER_POSITION = 2 * LAYERS * BATCH * HIDDEN * 4  # keys and values of float32


def test_a_growing_cache_is_read_by_its_positions(generation: Generation) -> None:
    assert [step.cache_bytes for step in generation.steps] == [
        PER_POSITION * step.position for step in generation.steps
    ]


def test_a_static_cache_is_read_in_full() -> None:
    graph = paper_decoder(STEPS, static=True)
    assert cache_bytes(graph, STEPS).tolist() == [0] + [PER_POSITION * (PROMPT + STEPS)] * (STEPS - 1)


def test_tokens_and_masks_that_pass_from_step_to_step_are_no_cache() -> None:
    """The paper decoder hands each chosen token to the next step, and its embedding reads the same table in each."""
    graph = paper_decoder(2)
    chosen = graph.names.index("argmax")
    assert any(graph.dependencies.target[graph.dependencies.source == chosen] > chosen)
    assert cache_bytes(graph, 2).tolist() == [0, PER_POSITION * PROMPT]


def test_a_view_that_repeats_heads_counts_the_memory_behind_it() -> None:
    b = GraphBuilder()
    kept = -1
    for _ in range(3):
        with b.frame("", "Model"):
            for number in range(2):
                with b.frame(f"layers.{number}", "Layer"):
                    if kept < 0:
                        kept = b.tensor((1, 2, 8))
                        b.op("linear", OpKind.MATMUL, [], [kept], Cost(100))
                    repeated = b.tensor((4, 2, 8), storage=b.spec(kept).storage)
                    b.op("expand", OpKind.VIEW, [kept], [repeated])
                    b.op("attention", OpKind.ATTENTION, [repeated], [b.tensor((4, 2, 8))], Cost(100))
        b.op("argmax", OpKind.REDUCTION, [], [b.tensor((1,), "int64")])
    graph = b.build(generates=True, stepwise=True)
    assert cache_bytes(graph, 3).tolist() == [0, 2 * 8 * 4, 2 * 8 * 4]


def test_parameters_that_every_step_reads_are_no_cache() -> None:
    b = GraphBuilder()
    weight = b.tensor((8, 8), role=TensorRole.PARAMETER)
    for _ in range(3):
        with b.frame("", "Model"):
            for number in range(2):
                with b.frame(f"layers.{number}", "Layer"):
                    for _ in range(2):
                        b.op("linear", OpKind.MATMUL, [weight], [b.tensor((1, 8))], Cost(100))
        b.op("argmax", OpKind.REDUCTION, [], [b.tensor((1,), "int64")])
    assert cache_bytes(b.build(generates=True, stepwise=True), 3).tolist() == [0, 0, 0]


def test_an_encoder_has_a_phase_of_its_own_and_the_decoder_counts_from_its_start_token() -> None:
    translated = told(paper_generation(paper_decoder(5, encoder=True), pace=EVEN))
    times = {row.phase: row for row in translated.phases}
    assert list(times) == list(Phase)
    assert times[Phase.ENCODE].op_ns == (1 + 2 * LAYERS) * OP_NS
    assert [step.position for step in translated.steps] == [0, 1, 2, 3, 4]
    assert [step.cache_bytes for step in translated.steps] == [PER_POSITION * k for k in range(5)]


def test_interrupted_before_anything_was_stamped_there_are_metrics_and_no_phases() -> None:
    uninstrumented = told(paper_generation(paper_decoder(STEPS), instrumented=False))
    assert value(uninstrumented, "ttft") is not None
    assert (uninstrumented.phases, uninstrumented.steps, uninstrumented.growth) == ((), (), ())
    assert uninstrumented.tokens == STEPS


def test_interrupted_before_the_first_cycle_there_is_nothing_to_tell_but_its_shape() -> None:
    nothing = told(paper_generation(paper_decoder(STEPS), runs=0))
    assert (nothing.metrics, nothing.dialects, nothing.phases) == ((), (), ())
    assert (nothing.tokens, nothing.sequences) == (STEPS, BATCH)


def test_interrupted_between_a_wall_time_and_its_tokens_both_are_left_out() -> None:
    cycle = paper_generation(paper_decoder(STEPS), runs=6)
    tokens = cycle.samples.tokens
    assert tokens is not None
    cut = TokenSamples(tokens.emitted_ns[:5], tokens.called_ns[:5])
    seen = observe(replace(cycle, samples=replace(cycle.samples, tokens=cut)))
    assert seen is not None
    assert (len(seen), len(seen.wall_ns)) == (5, 5)
    none = replace(cycle, samples=replace(cycle.samples, uninstrumented=UninstrumentedSamples.empty()))
    assert observe(none) is None


def test_the_account_of_a_whole_generation_closes(explanation: Explanation) -> None:
    assert explanation.closure.closes


def test_among_many_places_that_only_vary_none_is_said_to_grow() -> None:
    """At 95 % each, one in forty places would seem to grow in every run."""
    graph = paper_decoder(24)
    rng = np.random.default_rng(11)
    wrongly = 0
    for _ in range(20):
        cycle = paper_generation(graph, slope_ns=0, runs=6, pace=EVEN)
        instrumented = cycle.samples.instrumented
        noise = rng.integers(0, 500, instrumented.boundaries_ns.shape[1] - 1)
        boundaries = instrumented.boundaries_ns.copy()
        boundaries[:, 1:] += np.cumsum(noise)
        noisy = replace(
            cycle, samples=replace(cycle.samples, instrumented=replace(instrumented, boundaries_ns=boundaries))
        )
        wrongly += any(row.grows for row in told(noisy).growth)
    assert wrongly <= 3
