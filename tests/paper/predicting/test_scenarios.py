"""Scenarios: their spread is that of the errors, of the whole and of the parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_generation import paper_decoder
from paper_models import paper_bert
from paper_predictions import ERRORS, PLAN, TOKENIZER, ceilings

from cyclescope.core.graph.op import OpKind
from cyclescope.core.prediction import SCENARIOS
from cyclescope.core.statistics import scenario_estimate
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.intervals import error_quantiles
from cyclescope.predicting.scenarios import LEAST_UNSEEN, equal_slots, scenarios
from cyclescope.predicting.timing_model import Durations

GRAPH = paper_bert(2)


def durations(**changes: object) -> Durations:
    found = AnalyticModel(ERRORS, TOKENIZER).predict(GRAPH, PLAN, ceilings())
    return replace(found, **changes)  # type: ignore[arg-type]


def test_the_whole_is_spread_as_the_errors_of_whole_cycles() -> None:
    said = durations()
    rows = scenarios(GRAPH, said)
    assert rows.shape == (SCENARIOS, len(GRAPH.slots))
    totals = rows.sum(axis=1)
    assert (np.diff(totals) > 0).all()
    found = scenario_estimate(totals)
    whole = said.slot_ns.sum()
    assert found.value_ns == pytest.approx(whole)
    low, high = np.log(found.low_ns / whole), np.log(found.high_ns / whole)
    assert (low, high) == pytest.approx((-0.18, 0.18), abs=0.01)  # 5 % and 95 % of −0.2 … 0.2


def test_errors_that_lean_to_one_side_move_the_prediction() -> None:
    leaning = replace(ERRORS, cycles=tuple(0.3 + error for error in ERRORS.cycles))
    said = durations(errors=leaning)
    assert scenarios(GRAPH, said)[SCENARIOS // 2].sum() == pytest.approx(said.slot_ns.sum() * np.exp(0.3))


def test_the_middle_row_is_the_prediction_itself() -> None:
    said = durations()
    assert scenarios(GRAPH, said)[SCENARIOS // 2] == pytest.approx(said.slot_ns)


def test_a_slot_is_spread_as_the_errors_of_operations() -> None:
    said = durations()
    rows = scenarios(GRAPH, said)
    slot = int(np.argmin(np.where(said.slot_ns > 0, said.slot_ns, np.inf)))  # so small that its row hardly follows it
    logs = np.log(rows[:, slot] / said.slot_ns[slot])
    low, high = np.percentile(ERRORS.operations, [15.865, 84.135])
    assert float(logs.std()) == pytest.approx((high - low) / 2, rel=0.25)


def test_equal_operations_deviate_alike() -> None:
    group = equal_slots(GRAPH)
    rows = scenarios(GRAPH, durations())
    ratio = rows / np.maximum(durations().slot_ns, 1e-9)
    alike = [ops for ops in (np.flatnonzero(group == g) for g in np.unique(group[GRAPH.slots.of_op])) if len(ops) > 1]
    assert alike
    for ops in alike:
        assert ratio[:, ops] == pytest.approx(np.repeat(ratio[:, ops[:1]], len(ops), axis=1))


def test_what_lies_outside_widens() -> None:
    narrow, wide = (scenarios(GRAPH, durations(widening=factor)).sum(axis=1) for factor in (1.0, 2.0))
    assert np.log(wide[-1] / wide[0]) == pytest.approx(2 * np.log(narrow[-1] / narrow[0]))


def test_scenarios_are_the_same_every_time() -> None:
    assert (scenarios(GRAPH, durations()) == scenarios(GRAPH, durations())).all()


def test_too_few_unseen_cycles_justify_no_interval() -> None:
    few = replace(ERRORS, cycles=ERRORS.cycles[: LEAST_UNSEEN - 1])
    said = durations(errors=few)
    assert scenarios(GRAPH, said) == pytest.approx(said.slot_ns[None])
    assert not scenario_estimate(scenarios(GRAPH, said).sum(axis=1)).has_interval


def test_an_unknown_slot_counts_for_nothing() -> None:
    said = durations()
    said.slot_ns[3] = np.nan
    rows = scenarios(GRAPH, said)
    assert (rows[:, 3] == 0).all()
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("n", [10, 40, 200])
def test_an_interval_of_errors_holds_what_it_promises(n: int) -> None:
    rng = np.random.default_rng(n)
    held = []
    for _ in range(400):
        errors = rng.normal(0.1, 0.2, n + 1)
        low, high = error_quantiles(tuple(errors[:n].tolist()), np.asarray([0.05, 0.95]))
        held.append(low <= errors[n] <= high)
    assert 0.86 <= np.mean(held) <= 0.97


def test_decode_steps_that_grow_deviate_alike() -> None:
    graph = paper_decoder(4)
    steps = graph.slots.step[graph.slots.of_op]
    attention = [
        equal_slots(graph)[graph.slots.of_op[i]] for i in np.flatnonzero(graph.of_kind(OpKind.ATTENTION) & (steps > 0))
    ]
    assert len(attention) > 3
    assert len(set(attention)) == 1
