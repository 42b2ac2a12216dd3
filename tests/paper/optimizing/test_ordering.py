"""What is tried next follows what was measured, costs what it can cost, and is not refused for what others did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cyclescope.backends.paper import FakeClock
from cyclescope.core.errors import MissingExtra
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.core.statistics import Ratio
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import Outcome, Row, Skip
from cyclescope.optimizing.search.confirmation import chosen
from cyclescope.optimizing.search.ordering import Ahead, Candidate, Costs, Guesses, Queue, Step, step_between

from .plans_on_paper import BASELINE, PaperPreparer, searched, situation

ENGINES = {"onnxruntime": "", "openvino": ""}
INT8: Step = (("quantization", "int8-dynamic"),)
S = 1_000_000_000


def test_a_step_is_what_changes_and_an_engine_brings_its_attention() -> None:
    there = replace(BASELINE, engine="openvino", attention="engine", quantization="int8-dynamic")
    numbers = ("in", ("int8-dynamic", "float32"))
    assert step_between(BASELINE, there) == (("engine", "openvino"), ("quantization", "int8-dynamic"), numbers)
    assert step_between(BASELINE, replace(BASELINE, attention="eager")) == (("attention", "eager"),)
    one, two = ModelChange("relu"), ModelChange("drop-layers", 2.0)
    assert step_between(replace(BASELINE, changes=(one,)), replace(BASELINE, changes=(one, two))) == (
        ("changes", (two,)),
    )
    assert step_between(BASELINE, BASELINE) == ()
    looked_for, told = (replace(BASELINE, quantization=how) for how in ("int8-dynamic", "int8-static"))
    assert step_between(looked_for, told) == (("quantization", ("int8-dynamic", "int8-static")),)
    assert step_between(BASELINE, told) == (("quantization", "int8-static"),)  # brings more, and is another step


def test_a_gain_is_guessed_from_this_engine_then_from_others_then_from_the_strategy() -> None:
    guesses = Guesses()
    assert guesses.gain(INT8, "onnxruntime", 1.4) == pytest.approx(1.4)
    guesses.learn(INT8, "torch", 3.0)
    assert 1.4 < guesses.gain(INT8, "onnxruntime", 1.4) < 3.0
    assert guesses.gain(INT8, "onnxruntime", 1.4) > (1.4 * 3.0) ** 0.5  # it weighs more than the guess
    guesses.learn(INT8, "onnxruntime", 0.8)
    assert guesses.gain(INT8, "onnxruntime", 1.4) == pytest.approx(0.8)
    assert guesses.gain((("dtype", "bfloat16"),), "onnxruntime", 1.4) == pytest.approx(1.4)


def test_the_first_plan_of_an_engine_pays_for_the_export() -> None:
    costs = Costs(500, 1_000)
    plan = replace(BASELINE, engine="openvino")
    other = replace(BASELINE, engine="onnxruntime")
    new, int8 = costs.guess(plan), replace(plan, quantization="int8-static")
    assert new > costs.guess(BASELINE) == 1_000
    costs.learn(plan, 20_000)
    assert costs.guess(other) == 20_000
    assert costs.guess(int8) < 20_000
    costs.learn(int8, 30_000)
    assert costs.guess(int8) == 30_000
    assert costs.guess(replace(plan, dtype="bfloat16")) < 20_000


def test_an_engine_that_takes_the_weights_as_they_are_is_cheap() -> None:
    costs = Costs(500, 1_000)
    converts, exports = replace(BASELINE, engine="ctranslate2"), replace(BASELINE, engine="openvino")
    assert costs.guess(converts) * 5 == costs.guess(exports)
    costs.learn(exports, 20_000)
    assert costs.guess(converts) == 4_000
    costs = Costs(500, 1_000)
    costs.learn(converts, 3_000)
    assert costs.guess(exports) == 15_000


def test_what_promises_to_be_slower_is_not_tried_for_what_could_come_after_it() -> None:
    rows = [Row(BASELINE, (), -1, Outcome.TRIED, Ratio(1.0, 1.0, 1.0, 0))]
    queue = Queue(Guesses(), Costs(500, 1_000))
    fewer = replace(BASELINE, threads=1)
    step = step_between(replace(BASELINE, threads=2), fewer)
    leads = Ahead(INT8, 3.0, replace(fewer, quantization="int8-dynamic"))
    alone, leading = (Candidate(fewer, "threads", 0, False, step, 0.9, ahead) for ahead in ((), (leads,)))
    assert queue.promise(alone, rows) == queue.promise(leading, rows)
    better = replace(leading, expected_speedup=1.1)
    assert queue.promise(better, rows) < queue.promise(replace(alone, expected_speedup=1.1), rows)
    # What was tried by another way meanwhile promises nothing any more.
    rows.append(Row(leads.plan, (), 0, Outcome.TRIED, Ratio(0.5, 0.4, 0.6, 9)))
    assert queue.promise(better, rows) == queue.promise(replace(alone, expected_speedup=1.1), rows)


def test_what_takes_long_is_not_put_off_until_it_is_too_late() -> None:
    rows = [Row(BASELINE, (), -1, Outcome.TRIED, Ratio(1.0, 1.0, 1.0, 0))]
    costs = Costs(500, 1_000)
    there = replace(BASELINE, engine="openvino")
    costs.learn(there, 20_000)
    long = Candidate(replace(there, quantization="int8-static"), "long", 0, False, (("long", 1),), 2.4, (), 6_000)
    short = Candidate(replace(BASELINE, dtype="bfloat16"), "short", 0, False, (("short", 1),), 2.3)

    def first(left: int, trial: int) -> str:
        queue = Queue(Guesses(), costs)
        queue.put(long)
        queue.put(short)
        taken = queue.take(rows, left, trial)
        assert taken is not None
        return taken.strategy

    assert first(30_000, 2_000) == "short"  # there is time for both
    assert first(19_000, 2_000) == "long"  # now or never
    assert first(15_000, 2_000) == "long"  # a guess is right within a third
    assert first(10_000, 2_000) == "short"


@pytest.mark.parametrize(("left_s", "first"), [(200, "threads"), (80, "engine"), (60, "threads")])
def test_the_export_of_an_engine_goes_first_where_it_would_not_fit_after_one_more_trial(
    left_s: int, first: str
) -> None:
    """It takes 48 s by the size of the model, must fit into seven tenths of what is left, and a trial takes 20 s."""
    rows = [Row(BASELINE, (), -1, Outcome.TRIED, Ratio(1.0, 1.0, 1.0, 0))]
    queue = Queue(Guesses(), Costs(S, S, round(48e9 / 180), writes=True))
    plans = {"threads": replace(BASELINE, threads=1), "engine": replace(BASELINE, engine="onnxruntime")}
    for name, plan in plans.items():
        queue.put(Candidate(plan, name, 0, False, step_between(BASELINE, plan), 1.5))
    taken = queue.take(rows, left_s * S, 20 * S)
    assert taken is not None
    assert taken.strategy == first


def test_an_engine_that_is_slow_has_its_quantized_forms_tried_late() -> None:
    def speed(plan: Plan) -> float:
        return {"openvino": 0.3, "onnxruntime": 2.0}.get(plan.engine, 1.0) * (
            1.5 if plan.quantization != "off" else 1.0
        )

    preparer = PaperPreparer(FakeClock(), speed)
    searched(preparer, where=situation(engines=ENGINES))
    quantized = [plan.engine for plan in preparer.prepared if plan.quantization != "off"]
    assert quantized.index("onnxruntime") < quantized.index("openvino")


def test_a_slow_engine_is_not_given_up_if_8_bits_make_it_the_fastest() -> None:
    def speed(plan: Plan) -> float:
        if plan.engine == "openvino":
            return 6.0 if plan.quantization == "int8-static" else 0.9
        return 1.0

    found = searched(PaperPreparer(FakeClock(), speed), where=situation(engines={"openvino": ""}))
    assert (found.rows[found.best].plan.engine, found.rows[found.best].plan.quantization) == ("openvino", "int8-static")


def test_what_one_engine_gains_by_a_step_sends_it_ahead_on_the_next() -> None:
    def speed(plan: Plan) -> float:
        return (1.5 if plan.engine != "torch" else 1.0) * (5.0 if plan.dtype == "bfloat16" else 1.0)

    machine = situation().machine
    where = situation(engines=ENGINES, machine=replace(machine, instruction_set="avx512_bf16 vnni"))
    preparer = PaperPreparer(FakeClock(), speed)
    searched(preparer, where=where)
    half = next(k for k, plan in enumerate(preparer.prepared) if plan.dtype == "bfloat16")
    there = preparer.prepared[half].engine
    after = [plan for plan in preparer.prepared[half + 1 :] if plan.engine not in ("torch", there) and not plan.changes]
    first = next(plan for plan in after if plan.quantization != "off" or plan.dtype != "float32")
    assert first.dtype == "bfloat16"


def test_what_is_ready_comes_before_the_export_of_another_engine() -> None:
    """Gemma 3 270M on two cores: conversion 9 s, export 48 s; 8 bits on the one are ready in 5 s and promise as much."""
    rows = [Row(BASELINE, (), -1, Outcome.TRIED, Ratio(1.0, 1.0, 1.0, 0))]
    costs = Costs(15 * S, S, 268_000_000, writes=True)
    converted, exported = (replace(BASELINE, engine=name) for name in ("ctranslate2", "onnxruntime"))
    assert costs.guess(exported) >= 75 * S  # five times of what loading took
    costs.learn(converted, 9 * S)
    assert 48 * S < costs.guess(exported) < 50 * S
    rows.append(Row(converted, (), 0, Outcome.TRIED, Ratio(0.47, 0.45, 0.5, 6)))
    int8 = replace(converted, quantization="int8-dynamic")
    ready = Candidate(int8, "int8-dynamic", 1, False, INT8, 2.0)
    ahead = Ahead(INT8, 2.0, replace(exported, quantization="int8-dynamic"))
    export = Candidate(exported, "engine", 0, False, step_between(BASELINE, exported), 2.3, (ahead,), exact=True)

    def first(left: int) -> str:
        queue = Queue(Guesses(), costs)
        for each in (export, ready):
            queue.put(each)
        taken = queue.take(rows, left, 4 * S)
        assert taken is not None
        return taken.strategy

    assert first(150 * S) == "int8-dynamic"
    queue = Queue(Guesses(), costs)
    queue.put(export)
    assert queue.take(rows, 52 * S, 4 * S) is None  # as dear as what is left of the search
    assert queue.take(rows, 200 * S, 4 * S) is export


def test_what_goes_too_far_only_with_another_is_tried_without_it() -> None:
    """8 bits alone keep to the limit, and so do 16; both together do not."""

    def turn(plan: Plan) -> float:
        return 0.1 * (plan.quantization != "off") + 0.1 * (plan.dtype != "float32")

    machine = situation().machine
    where = situation(engines={"openvino": ""}, machine=replace(machine, instruction_set="avx512_bf16"))
    found = searched(
        PaperPreparer(FakeClock(), lambda plan: 1.5 if plan.quantization != "off" else 1.0, turn=turn),
        where=where,
        max_drift=0.01,
    )
    rows = {(row.plan.engine, row.plan.quantization, row.plan.dtype): row.outcome for row in found.rows}
    assert rows["openvino", "int8-static", "bfloat16"] is Outcome.DRIFTED
    assert rows["openvino", "off", "bfloat16"] is Outcome.TRIED
    assert rows["openvino", "int8-static", "float32"] is Outcome.TRIED
    assert rows["openvino", "int8-weights", "float32"] is Outcome.TRIED


def test_one_format_of_numbers_that_goes_too_far_does_not_speak_for_another() -> None:
    machine = situation().machine
    where = situation(machine=replace(machine, instruction_set="avx512_bf16 avx512_fp16"))
    preparer = PaperPreparer(FakeClock(), lambda plan: 1.0, turn=lambda plan: 0.5 if plan.dtype == "bfloat16" else 0.0)
    found = searched(preparer, where=where)
    assert {row.outcome for row in found.rows if row.plan.dtype == "float16"} == {Outcome.TRIED}
    assert {row.outcome for row in found.rows if row.plan.dtype == "bfloat16"} == {Outcome.DRIFTED}


def test_what_is_not_installed_is_asked_for_once() -> None:
    preparer = PaperPreparer(
        FakeClock(),
        lambda plan: 1 + (plan.quantization != "off"),
        refuse=lambda plan: MissingExtra("It is not there.") if plan.engine != "torch" else None,
    )
    found = searched(preparer)
    assert [row.outcome for row in found.rows if row.plan.engine != "torch"] == [Outcome.MISSING]
    assert any(n.strategy == "engine" and n.why is Skip.FAILED for n in found.not_tried)


# Choosing ----------------------------------------------------------------------------------------------------------------


class _Told:
    """Turns that tell these ratios of one variant to another."""

    def __init__(self, **ratios: tuple[float, float, float]) -> None:
        self.ratios = ratios

    def ratio(self, variant: int, to: int) -> Ratio:
        value, low, high = self.ratios[f"_{variant}_{to}"]
        return Ratio(value, low, high, 9)


def _row(plan: Plan) -> Row:
    return Row(plan, (), 0, Outcome.TRIED, Ratio(0.5, 0.4, 0.6, 9), Verdict.FASTER)


SIMPLE = replace(BASELINE, engine="openvino")
STACKED = replace(SIMPLE, dtype="bfloat16")


@pytest.mark.parametrize(
    ("interval", "best", "told"),
    [
        ((0.9, 0.85, 0.95), 2, False),  # proved to be faster
        ((0.95, 0.85, 1.05), 2, True),  # measured to be faster by 5 %
        ((0.98, 0.95, 1.01), 1, False),  # not worth a part
        ((0.99, 0.985, 0.995), 2, False),  # by little, but proved
        ((1.1, 1.05, 1.2), 1, False),
    ],
)
def test_a_part_more_must_be_proved_or_bring_three_hundredths(
    interval: tuple[float, float, float], best: int, told: bool
) -> None:
    rows = [_row(BASELINE), _row(SIMPLE), _row(STACKED)]
    turns = _Told(_2_1=interval)
    taken, choice = chosen(rows, [1, 2], turns)  # type: ignore[arg-type]
    assert taken == best
    assert (choice is not None) is told
    if choice is not None:
        assert (choice.over, choice.ratio.value) == (1, interval[0])


def test_of_two_plans_with_as_many_parts_the_faster_one_is_taken() -> None:
    rows = [_row(BASELINE), _row(SIMPLE), _row(replace(BASELINE, engine="onnxruntime"))]
    assert chosen(rows, [1, 2], _Told(_2_1=(0.995, 0.9, 1.1))) == (2, None)  # type: ignore[arg-type]
    assert chosen(rows, [1, 2], _Told(_2_1=(1.005, 0.9, 1.1))) == (1, None)  # type: ignore[arg-type]


def test_what_is_not_proved_against_the_baseline_is_not_chosen() -> None:
    rows = [_row(BASELINE), replace(_row(SIMPLE), verdict=Verdict.INCONCLUSIVE)]
    assert chosen(rows, [1], _Told()) == (0, None)  # type: ignore[arg-type]
