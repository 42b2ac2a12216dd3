"""The built-in errors of the analytic model: they follow from measurements, and intervals from some hold what was kept out."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from cyclescope.core.plan import Plan
from cyclescope.core.prediction import COVERAGE
from cyclescope.machines.catalog import find_machine
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.evidence import Evidence, all_evidence, evidence_for, held_by_others
from cyclescope.predicting.intervals import error_quantiles
from cyclescope.predicting.scenarios import LEAST_UNSEEN
from predicting.paper_products import product

ROWS = all_evidence()
ENDS = np.asarray([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])


@pytest.mark.parametrize("key", ROWS, ids="-".join)
def test_intervals_hold_models_that_they_do_not_rest_on(key: tuple[str, str, str, str]) -> None:
    known = ROWS[key]
    held = [held_by_others(name, known.groups) for name in known.groups]
    sizes = [len(errors) for errors in known.groups.values()]
    assert np.average(held, weights=sizes) >= COVERAGE - 0.05
    assert len(known.errors.cycles) >= LEAST_UNSEEN
    assert known.errors.source.startswith("bench/predict/evidence.py")


def test_an_interval_from_one_gpu_holds_the_other() -> None:
    (known,) = [row for (_, _, device, origin), row in ROWS.items() if (device, origin) == ("cuda", "datasheet")]
    gpus = {name.rpartition(" on ")[2] for name in known.groups}
    assert len(gpus) == 2
    for gpu in gpus:
        of_gpu = {name: errors for name, errors in known.groups.items() if name.endswith(f" on {gpu}")}
        own = np.asarray([*chain.from_iterable(of_gpu.values())])
        others = [errors for name, errors in known.groups.items() if name not in of_gpu]
        low, high = error_quantiles(tuple(chain.from_iterable(others)), ENDS)
        # As wide as predictions state it: the other device differs more than another model does.
        middle = (low + high) / 2
        inside = np.abs(own - middle) <= known.wider * (high - low) / 2
        assert inside.mean() >= COVERAGE - 0.05, gpu


def test_a_datasheet_gpu_has_an_interval_that_says_what_it_rests_on() -> None:
    machine = find_machine("H100 SXM")
    assert machine is not None
    plan = Plan(device="cuda", dtype="float16")
    known = evidence_for("analytic", plan, machine)
    assert isinstance(known, Evidence)
    said = AnalyticModel().predict(product("float16"), plan, machine)
    assert said.errors == known.errors
    assert said.widening == known.wider > 1
    assert "run by another engine" in str(said.outside[0])
    single = AnalyticModel().predict(product("float32"), replace(plan, dtype="float32"), machine)
    assert single.widening > said.widening
    assert "float32" in str(single.outside[-1])
    assert evidence_for("analytic", replace(plan, engine="openvino"), machine) is None
