"""What every strategy offers, and that it says why where it offers nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategies import STRATEGIES
from cyclescope.optimizing.strategies.strategy import Effect, Goal, Situation, Strategy

from .plans_on_paper import BASELINE, situation, workload

BY_NAME = {strategy.name: strategy for strategy in STRATEGIES}
WRITING = situation(workload=workload(tokens_out=8, batch=1, task="generate"))
PADDED = workload(real_tokens=32)
MANY = situation(goal=Goal.THROUGHPUT)


def offered(name: str, where: Situation, plan: Plan = BASELINE) -> tuple[Plan, ...]:
    return BY_NAME[name].offer(plan, where).plans


def refused(name: str, where: Situation, plan: Plan = BASELINE) -> str:
    offer = BY_NAME[name].offer(plan, where)
    assert offer.plans == ()
    assert offer.not_applicable_reason
    return str(offer.not_applicable_reason)


SITUATIONS = [
    situation(),
    MANY,
    WRITING,
    situation(cores=1, texts=1, layers=0),
    situation(cores=64, texts=1000, goal=Goal.THROUGHPUT, workload=PADDED),
    situation(engines={}),
]
PLANS = [
    BASELINE,
    Plan(threads=2, engine="onnxruntime", attention="engine"),
    Plan(threads=2, quantization="int8-dynamic"),
    Plan(threads=1, batch=2, batching="length", instances=2),
    Plan(threads=1, changes=(ModelChange("relu"), ModelChange("drop-layers", 1.0))),
    Plan(threads=1, compiling="inductor", attention="eager", cache="static", drafting="prompt-lookup"),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_strategy_offers_other_plans_or_says_why_not(strategy: Strategy) -> None:
    for where in SITUATIONS:
        for plan in PLANS:
            offer = strategy.offer(plan, where)
            assert bool(offer.plans) is not bool(offer.not_applicable_reason), (strategy.name, plan, where)
            assert plan not in offer.plans
            assert len(set(offer.plans)) == len(offer.plans)
            assert offer.expected_speedup > 0
            assert all(other.seed == plan.seed and other.decoding == plan.decoding for other in offer.plans)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_only_what_may_change_outputs_changes_the_model_or_its_numbers(strategy: Strategy) -> None:
    for where in SITUATIONS:
        for plan in strategy.offer(BASELINE, where).plans:
            approximates = plan.changes or plan.quantization != BASELINE.quantization or plan.dtype != BASELINE.dtype
            if approximates and strategy.effect not in (Effect.APPROXIMATE, Effect.OTHER_MODEL):
                # Another spelling of the same function is no approximation.
                assert {change.name for change in plan.changes} <= {"exact-gelu", "unfused"}, strategy.name


@given(st.sampled_from(STRATEGIES), st.integers(1, 128), st.integers(1, 500), st.sampled_from(list(Goal)))
def test_no_plan_asks_for_what_is_not_there(strategy: Strategy, cores: int, texts: int, goal: Goal) -> None:
    where = situation(cores=cores, texts=texts, goal=goal)
    for plan in strategy.offer(BASELINE, where).plans:
        assert 1 <= plan.threads <= cores
        assert plan.instances <= min(cores, texts)
        assert plan.instances * plan.threads <= max(cores, plan.instances)
        assert plan.batch <= texts


def test_threads_up_to_the_cores_and_no_more() -> None:
    assert {plan.threads for plan in offered("threads", situation(cores=6))} == {2, 4, 6}
    assert refused("threads", situation(cores=1))


def test_processes_raise_throughput_only() -> None:
    assert "throughput" in refused("instances", situation())
    assert refused("instances", situation(goal=Goal.THROUGHPUT, texts=1))
    assert {(p.instances, p.threads) for p in offered("instances", situation(goal=Goal.THROUGHPUT, cores=4))} == {
        (2, 2),
        (4, 1),
    }


def test_a_text_does_not_wait_for_others_where_latency_counts() -> None:
    assert "wait" in refused("batch-size", situation())
    assert offered("batch-size", MANY)


def test_grouping_and_packing_need_padding() -> None:
    assert refused("group-by-length", MANY)
    assert refused("packed", MANY)
    padded = replace(MANY, workload=PADDED)
    assert {plan.batching for plan in offered("group-by-length", padded)} == {"length"}
    assert {plan.batching for plan in offered("packed", padded)} == {"packed"}
    assert refused("packed", replace(MANY, workload=replace(PADDED, task="classify")))


def test_tokenizing_beside_needs_a_next_call() -> None:
    assert "one call" in refused("tokenize-beside", situation())
    assert offered("tokenize-beside", situation(), replace(BASELINE, batch=2))[0].overlap


def test_engines_that_are_not_installed_are_not_in_the_way() -> None:
    assert {plan.engine for plan in offered("engine", situation(engines={"onnxruntime": "", "openvino": ""}))} >= {
        "onnxruntime",
        "openvino",
    }
    assert refused("engine", situation(engines={}))
    assert refused("engine", situation(), replace(BASELINE, engine="openvino"))


def test_drafts_and_caches_are_for_what_writes() -> None:
    for name in ("prompt-lookup", "static-cache", "trim-vocabulary"):
        assert refused(name, situation()), name
    assert offered("prompt-lookup", WRITING)[0].drafting == "prompt-lookup"
    stepped = replace(BASELINE, engine="openvino", quantization="int8-weights")
    assert offered("prompt-lookup", WRITING, stepped) == (replace(stepped, drafting="prompt-lookup"),)
    assert refused("prompt-lookup", WRITING, replace(BASELINE, engine="ctranslate2"))
    assert {plan.cache for plan in offered("static-cache", WRITING)} == {"static"}
    assert refused("prompt-lookup", replace(WRITING, workload=replace(WRITING.workload, batch=4)))


def test_the_head_alone_is_packed_where_tokens_are_chosen_greedily() -> None:
    plan = replace(BASELINE, engine="onnxruntime", attention="engine")
    assert offered("int8-head", WRITING, plan) == (replace(plan, quantization="int8-head"),)
    gains = [BY_NAME["int8-head"].offer(plan, replace(WRITING, head_share=share)) for share in (0.0, 0.3, 0.6)]
    assert 1.0 == gains[0].expected_speedup < gains[1].expected_speedup < gains[2].expected_speedup < 1 / (1 - 0.6)
    assert "generates text" in refused("int8-head", situation(), plan)
    assert "already" in refused("int8-head", WRITING, replace(plan, quantization="int8-weights"))
    assert "Sampling" in refused("int8-head", WRITING, replace(plan, decoding="sample"))
    assert "PyTorch" in refused("int8-head", WRITING)


def test_half_precision_needs_a_processor_that_has_it() -> None:
    assert "processor" in refused("half-precision", situation())
    amx = situation()
    amx = replace(amx, machine=replace(amx.machine, instruction_set="avx512_bf16 amx_tile"))
    assert {plan.dtype for plan in offered("half-precision", amx)} == {"bfloat16"}


def test_quantizing_happens_once_and_behind_pruning() -> None:
    quantized = replace(BASELINE, quantization="int8-dynamic")
    assert refused("int8-dynamic", situation(), quantized)
    for name in ("prune-heads", "prune-feed-forward", "low-rank"):
        assert offered(name, situation())
        assert refused(name, situation(), quantized)


def test_layers_are_dropped_from_a_stack() -> None:
    assert {plan.changes[0].amount for plan in offered("drop-layers", situation(layers=12))} == {1.0, 3.0}
    assert refused("drop-layers", situation(layers=1))


def test_what_takes_long_must_be_named() -> None:
    assert {strategy.name for strategy in STRATEGIES if strategy.opt_in} == {"distil"}


def test_every_finding_that_another_plan_can_answer_has_a_strategy() -> None:
    answered = {code for strategy in STRATEGIES for code in strategy.answers}
    # A fact about one layer, about the first cycle, about the machine, and about a device: no plan changes those.
    others = {FindingCode.UNLIKE_LAYER, FindingCode.FIRST_CALL, FindingCode.NOISE, FindingCode.LAUNCH_BOUND}
    # Plans over several ranks are predicted, and none is tried yet.
    spread = {
        FindingCode.COMMUNICATION_BOUND,
        FindingCode.PIPELINE_BUBBLE,
        FindingCode.TOO_MANY_RANKS,
        FindingCode.TOO_SMALL_TO_SPREAD,
    }
    assert set(FindingCode) - answered <= others | spread
