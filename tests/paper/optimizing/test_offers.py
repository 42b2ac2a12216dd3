"""What each strategy makes of a plan, what it needs for that, and what it says where it does not have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cyclescope.core.plan import ModelChange, Plan
from cyclescope.core.results import Results, held_out, only
from cyclescope.core.workload import InputSource, Weights, Workload
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.optimization import Found, Skip
from cyclescope.optimizing.strategies.algorithm.gelu_form import GeluForm, form_of
from cyclescope.optimizing.strategies.strategies import STRATEGIES
from cyclescope.optimizing.strategies.strategy import Goal, Offer, Situation, Strategy, expected_speedup, has, learns

from .plans_on_paper import BASELINE, FakeClock, PaperPreparer, finding, results, searched, situation, workload

NAMED: dict[str, Strategy] = {strategy.name: strategy for strategy in STRATEGIES}
CODES = {code.value: code for code in FindingCode}


def writing(**changes: object) -> Workload:
    usual: dict[str, object] = {"task": "generate", "tokens_out": 32, "batch": 1}
    return workload(**(usual | changes))


def exits(*at: int) -> Workload:
    return writing(model=replace(workload().model, exits=at))


def offered(name: str, where: Situation, plan: Plan = BASELINE) -> Offer:
    return NAMED[name].offer(plan, where)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
@pytest.mark.parametrize("goal", Goal)
def test_an_offer_is_plans_or_a_reason_and_no_plan_twice(name: str, writes: bool, engine: str, goal: Goal) -> None:
    findings = tuple(finding(code) for code in CODES)
    where = situation(findings, goal, workload=writing() if writes else workload(), texts=12)
    plan = replace(BASELINE, engine=engine)
    offer = offered(name, where, plan)
    assert bool(offer.plans) is not bool(offer.not_applicable_reason)
    assert plan not in offer.plans
    assert len(set(offer.plans)) == len(offer.plans)
    assert offer.expected_speedup > 0
    for made in offer.plans:
        again = NAMED[name].offer(made, where)
        assert made not in again.plans


def test_every_answer_is_a_finding_and_what_is_expected_grows_with_it() -> None:
    """Where a strategy names a finding, a larger one never makes it less promising."""
    for strategy in STRATEGIES:
        for code in strategy.answers:
            for where in (situation(texts=12), situation(texts=12, workload=writing())):
                small = strategy.offer(BASELINE, replace(where, findings=(finding(code.value, 0.2, 0.1, "gelu"),)))
                large = strategy.offer(BASELINE, replace(where, findings=(finding(code.value, 0.8, 0.7, "gelu"),)))
                if small.plans and large.plans:
                    assert large.expected_speedup >= small.expected_speedup, (strategy.name, code)


def test_what_is_hoped_for_is_the_share_that_goes() -> None:
    assert expected_speedup((finding("padding", gain=0.5),)) == pytest.approx(2.0)
    assert expected_speedup((finding("padding", gain=0.5),), part=0.5) == pytest.approx(4 / 3)
    assert expected_speedup((finding("padding", gain=0.6), finding("padding", gain=0.6))) == pytest.approx(
        10.0
    )  # more than all
    assert expected_speedup(()) == 1.0
    where = situation((finding("padding", gain=0.5), finding("slow-tokenizer", gain=0.2)))
    assert where.potential_speedup(FindingCode.SLOW_TOKENIZER) == pytest.approx(1.25)
    assert where.potential_speedup(FindingCode.SLOW_TOKENIZER, FindingCode.PADDING) == pytest.approx(
        2.0
    )  # they may be the same time
    assert where.potential_speedup(FindingCode.NOISE) == 1.0


# Activations: what the finding says, not what is said of GELU ------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "form"),
    [
        ("gelu", GeluForm.EXACT),
        ("aten.gelu", GeluForm.EXACT),
        ("GELUActivation", GeluForm.EXACT),
        ("aten.erf", GeluForm.EXACT),
        ("NewGELUActivation", GeluForm.TANH),
        ("GELUTanh", GeluForm.TANH),
        ("FastGELUActivation", GeluForm.TANH),
        ("aten.tanh", GeluForm.TANH),
        ("QuickGELUActivation", GeluForm.OTHER),
        ("silu", GeluForm.OTHER),
        ("", GeluForm.OTHER),
    ],
)
def test_the_form_of_gelu_is_told_by_its_name(subject: str, form: GeluForm) -> None:
    assert form_of(subject) is form


@pytest.mark.parametrize(
    ("subject", "tanh", "exact"), [("gelu", True, False), ("NewGELUActivation", False, True), ("silu", False, False)]
)
def test_one_form_of_gelu_replaces_the_other_only_where_that_was_found_slow(
    subject: str, tanh: bool, exact: bool
) -> None:
    where = situation((finding("scalar-activation", subject=subject),))
    assert bool(offered("tanh-gelu", where).plans) is tanh
    assert bool(offered("exact-gelu", where).plans) is exact
    assert offered("relu", where).plans
    nothing = situation()
    assert not any(offered(name, nothing).plans for name in ("tanh-gelu", "exact-gelu", "relu"))
    assert "slower" in str(offered("tanh-gelu", nothing).not_applicable_reason)


# Drafts ------------------------------------------------------------------------------------------------------------------


def test_a_given_draft_is_tried_as_it_is_named() -> None:
    where = situation((finding("memory-bound-decode", share=0.6),), workload=writing(), draft="tiny-llama")
    offer = offered("draft", where)
    assert [plan.drafting for plan in offer.plans] == ["tiny-llama"]
    assert offer.expected_speedup == pytest.approx(1.8)


def test_without_a_draft_the_models_own_exits_or_half_of_it_guess() -> None:
    assert [p.drafting for p in offered("draft", situation(workload=exits(4))).plans] == ["layers:4"]
    half = offered("draft", situation(workload=writing(), layers=6))
    assert [p.drafting for p in half.plans] == ["layers:3"]
    assert half.expected_speedup < 1.1  # by chance only
    random = replace(workload().model, weights=Weights.RANDOM)
    assert "random weights cannot predict" in str(
        offered("draft", situation(workload=writing(model=random))).not_applicable_reason
    )


@pytest.mark.parametrize(
    ("plan", "work"),
    [
        (BASELINE, workload()),
        (BASELINE, writing(batch=2)),
        (replace(BASELINE, batch=4), writing(batch=4)),
        (replace(BASELINE, engine="openvino"), writing()),
        (replace(BASELINE, drafting="prompt-lookup"), writing()),
        (replace(BASELINE, decoding="sample"), writing()),
        (replace(BASELINE, compiling="inductor"), writing()),
    ],
)
def test_no_draft_where_it_could_not_guess(plan: Plan, work: Workload) -> None:
    assert offered("draft", situation(workload=work, draft="tiny-llama"), plan).not_applicable_reason


def test_texts_that_are_written_one_by_one_can_be_guessed_one_by_one() -> None:
    assert offered("draft", situation(workload=writing(batch=4), draft="d"), replace(BASELINE, batch=1)).plans


def test_a_static_cache_keeps_what_was_guessed_wrongly() -> None:
    where = situation((finding("cache-reallocation"),), workload=writing())
    assert offered("static-cache", where).plans
    assert offered("static-cache", where, replace(BASELINE, drafting="layers:2")).not_applicable_reason


# What learns, trims and leaves early -------------------------------------------------------------------------------------


def test_early_exit_is_offered_where_the_model_declares_one() -> None:
    assert offered("early-exit", situation(workload=writing())).not_applicable_reason
    offer = offered("early-exit", situation(workload=exits(4), layers=6))
    assert [plan.changes for plan in offer.plans] == [(ModelChange("early-exit", 4.0),)]
    assert offer.expected_speedup == pytest.approx(1.5)


def test_a_student_has_half_of_the_layers_and_time_to_learn() -> None:
    offer = offered("distil", situation(texts=8, layers=6))
    assert [plan.changes for plan in offer.plans] == [(ModelChange("distil", 3.0),)]
    assert offer.takes_s > 60
    for where, plan in (
        (situation(texts=7), BASELINE),
        (situation(texts=8, workload=writing()), BASELINE),
        (situation(texts=8), replace(BASELINE, dtype="bfloat16")),
        (situation(texts=8), replace(BASELINE, quantization="int8-dynamic")),
        (situation(texts=8), replace(BASELINE, instances=2)),
        (situation(texts=8), replace(BASELINE, changes=(ModelChange("drop-layers", 1.0),))),
    ):
        assert offered("distil", where, plan).not_applicable_reason


def test_what_a_student_has_learned_is_left_as_it_is_but_can_be_quantized() -> None:
    student = replace(BASELINE, changes=(ModelChange("distil", 3.0),))
    where = situation(texts=8)
    for name in ("prune-heads", "prune-feed-forward", "low-rank", "drop-layers", "early-exit"):
        assert offered(name, where, student).not_applicable_reason
    assert all(has(plan, "distil") for plan in offered("int8-dynamic", where, student).plans)


def test_a_vocabulary_is_trimmed_by_texts_and_before_quantizing() -> None:
    texts = situation(workload=writing(), texts=4)
    assert offered("trim-vocabulary", texts).plans
    assert offered("trim-vocabulary", replace(texts, texts=3)).not_applicable_reason
    assert offered("trim-vocabulary", replace(texts, workload=workload())).not_applicable_reason
    assert offered("trim-vocabulary", texts, replace(BASELINE, quantization="int8-dynamic")).not_applicable_reason
    made_up = replace(texts, workload=writing(input_source=InputSource.SYNTHETIC))
    assert offered("trim-vocabulary", made_up).not_applicable_reason


@pytest.mark.parametrize(
    ("features", "device", "kinds"),
    [
        ("avx512f avx2", "cpu", []),
        ("avx512_bf16 avx512f", "cpu", ["bfloat16"]),
        ("amx_tile amx_fp16 avx512_bf16", "cpu", ["bfloat16", "float16"]),
        ("avx2", "cuda", ["bfloat16", "float16"]),
    ],
)
def test_sixteen_bits_where_there_are_instructions_for_them(features: str, device: str, kinds: list[str]) -> None:
    where = situation()
    where = replace(where, machine=replace(where.machine, instruction_set=features))
    offer = offered("half-precision", where, replace(BASELINE, device=device))
    assert [plan.dtype for plan in offer.plans] == kinds


def test_eight_bits_are_calibrated_for_openvino_from_all_texts() -> None:
    plan = replace(BASELINE, engine="openvino")
    assert [made.quantization for made in offered("int8-static", situation(), plan).plans] == ["int8-static"]
    assert "calibrated" in str(offered("int8-static", situation()).not_applicable_reason)
    assert "encoders only" in str(offered("int8-static", situation(workload=writing()), plan).not_applicable_reason)
    assert "share" in str(offered("int8-static", situation(), replace(plan, instances=2)).not_applicable_reason)
    for how in ("int8-static", "int8-weights"):
        assert "already" in str(
            offered("int8-static", situation(), replace(plan, quantization=how)).not_applicable_reason
        )


@pytest.mark.parametrize("features", ["avx2", "avx512_vnni"])
def test_ranges_told_beforehand_come_after_ranges_that_are_looked_for(features: str) -> None:
    """An engine that was tried in 8 bits first goes on to calibrated ones, and both ways promise the same in the end."""
    where = situation()
    where = replace(where, machine=replace(where.machine, instruction_set=features))
    plan = replace(BASELINE, engine="openvino", attention="engine")
    looked_for = offered("int8-dynamic", where, plan)
    beyond = offered("int8-static", where, looked_for.plans[0])
    at_once = offered("int8-static", where, plan)
    assert beyond.plans == at_once.plans
    assert looked_for.expected_speedup * beyond.expected_speedup == pytest.approx(at_once.expected_speedup, rel=0.02)


def test_what_is_not_in_eight_bits_can_be_in_sixteen_on_openvino() -> None:
    where = situation()
    where = replace(where, machine=replace(where.machine, instruction_set="avx512_bf16 avx512_fp16"))
    plan = replace(BASELINE, engine="openvino", quantization="int8-static")
    assert [made.dtype for made in offered("half-precision", where, plan).plans] == ["bfloat16"]
    assert offered("half-precision", where, replace(plan, engine="torch")).not_applicable_reason


@pytest.mark.parametrize(("texts", "apart"), [(1, False), (7, False), (8, True), (40, True)])
def test_scales_of_many_texts_are_judged_on_others(texts: int, apart: bool) -> None:
    assert learns(Plan(quantization="int8-static"), texts) is apart
    assert not learns(Plan(quantization="int8-dynamic"), texts)
    assert learns(Plan(changes=(ModelChange("distil", 3.0),)), texts)


# The search keeps what learns honest -------------------------------------------------------------------------------------


def test_what_learns_is_judged_on_texts_that_were_held_out() -> None:
    """A student that knows the texts by heart and nothing else is refused."""

    class ByHeart(PaperPreparer):
        def make(self, plan: Plan, limit_s: float):  # type: ignore[no-untyped-def]
            made = super().make(plan, limit_s)
            if learns(plan, 8):
                hidden = made.variant.outcome.hidden.copy()  # type: ignore[attr-defined]
                hidden[list(held_out(4))] = [[0.0, 1.0]]
                made.variant.outcome = replace(made.variant.outcome, hidden=hidden)  # type: ignore[attr-defined]
            return made

    where = situation(opted=("distil",), texts=8)
    seen = _students(searched(ByHeart(FakeClock(), lambda plan: 2.0), max_drift=0.5, where=where))
    assert seen
    assert {row.outcome for row in seen} == {"drifted"}
    assert {row.judged_on for row in seen} == {1}
    assert all(row.drift and row.drift.cosine == pytest.approx(0.0, abs=1e-9) for row in seen)
    honest = _students(searched(PaperPreparer(FakeClock(), lambda plan: 2.0), max_drift=0.5, where=where))
    assert {row.outcome for row in honest} == {"tried"}


def test_a_strategy_that_takes_long_is_given_its_time_or_is_left_out() -> None:
    class Limits(PaperPreparer):
        limits: dict[bool, float]

        def make(self, plan: Plan, limit_s: float):  # type: ignore[no-untyped-def]
            self.limits.setdefault(learns(plan, 8), limit_s)
            return super().make(plan, limit_s)

    where = situation(opted=("distil",), texts=8)
    preparer = Limits(FakeClock(), lambda plan: 1.0)
    preparer.limits = {}
    searched(preparer, where=where)
    assert preparer.limits[True] > preparer.limits[False] + 60
    short = searched(PaperPreparer(FakeClock(), lambda plan: 1.0), budget_s=60, where=where)
    assert not _students(short)
    assert any(n.strategy == "distil" and n.why is Skip.OUT_OF_BUDGET for n in short.not_tried)


def _students(found: Found) -> list:  # type: ignore[type-arg]
    return [row for row in found.rows if learns(row.plan, 8)]


def test_every_fourth_text_is_held_out() -> None:
    assert held_out(3) == ()
    assert held_out(9) == (3, 7)
    some = only(results(0.3, texts=9), (3, 7))
    assert isinstance(some, Results)
    assert some.hidden is not None
    assert (some.hidden.shape[0], some.mask.shape[0]) == (2, 2)


def test_fewer_threads_promise_less_the_more_of_a_cycle_computes() -> None:
    both = replace(BASELINE, threads=2)
    usual, computing = (
        offered("threads", situation(found), both).expected_speedup
        for found in ((), (finding("compute-bound", share=0.8),))
    )
    assert computing == pytest.approx(usual / 1.8)
    assert usual < 1
    waiting = offered("threads", situation((finding("oversubscription", gain=0.4),)), both).expected_speedup
    assert waiting == pytest.approx(1 / 0.6)
    assert offered("threads", situation(), BASELINE).expected_speedup > 1


def test_operations_side_by_side_promise_less_where_each_then_computes_on_half_of_the_cores() -> None:
    there = replace(BASELINE, engine="onnxruntime", threads=2)
    usual, computing = (
        offered("threads-between", situation(found), there).expected_speedup
        for found in ((), (finding("compute-bound", share=0.8),))
    )
    assert computing == pytest.approx(usual / 1.8)


@pytest.mark.parametrize("name", ["int8-static", "int8-dynamic"])
def test_of_sixteen_bits_eight_bring_only_what_is_beyond(name: str) -> None:
    where = situation(engines={"openvino": ""})
    full, half = (
        offered(name, where, replace(BASELINE, engine="openvino", dtype=dtype)).expected_speedup
        for dtype in ("float32", "bfloat16")
    )
    assert 1 <= half < full
