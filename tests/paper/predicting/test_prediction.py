"""A predicted cycle: stored, loaded and explained like a measured one, without what only a measurement has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from paper_models import PAPER_BERT_WORKLOAD, paper_bert
from paper_predictions import ERRORS, predicted

from cyclescope.core.cycle import Source
from cyclescope.core.prediction import SCENARIOS
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.predicting.evidence import NO_ERRORS
from cyclescope.predicting.prediction import mean_error, missing_bytes
from cyclescope.store.run_file import load, save


def test_it_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    cycle = predicted()
    save(cycle, tmp_path / "p.cycle")
    again = load(tmp_path / "p.cycle")
    assert again.source is Source.PREDICTED
    assert again.samples.prediction == cycle.samples.prediction
    assert (again.samples.instrumented.boundaries_ns == cycle.samples.instrumented.boundaries_ns).all()


def test_it_says_what_it_rests_on() -> None:
    said = predicted().samples.prediction
    assert said is not None
    assert (said.timing_model, said.unseen, said.repeat_error) == ("analytic", 81, 0.01)
    assert said.mean_error == pytest.approx(mean_error(ERRORS.cycles))
    assert said.mean_error == pytest.approx(0.1, abs=0.01)  # errors spread evenly from −0.2 to 0.2


def test_parts_add_up_to_the_whole_and_every_interval_holds_its_figure() -> None:
    found = explain(predicted())
    assert sum(stage.time.value_ns for stage in found.stages) == pytest.approx(found.wall.value_ns, rel=1e-6)
    times = [found.wall, *(row.time for rows in (found.stages, found.layers, found.kinds) for row in rows)]
    assert all(time.low_ns <= time.value_ns <= time.high_ns and time.n == SCENARIOS for time in times)
    assert found.wall.low_ns / found.wall.value_ns == pytest.approx(np.exp(-0.18), abs=0.01)


def test_what_only_a_measurement_has_is_absent() -> None:
    found = explain(predicted())
    assert found.closure.rows == ()
    assert found.cpu.n == 0
    assert found.warnings == ()
    about_measuring = {FindingCode.NOISE, FindingCode.FIRST_CALL}
    assert not about_measuring & {finding.code for finding in found.findings}


def test_what_follows_from_times_and_graph_is_there() -> None:
    found = explain(predicted())
    assert found.roofline is not None
    assert found.arrangement is not None
    assert found.memory is not None
    assert found.findings


def test_the_exemplar_is_the_prediction_itself() -> None:
    cycle = predicted()
    attribution = attribute(cycle)
    assert attribution.typical.tolist() == [SCENARIOS // 2]
    assert explain(cycle).spans[0].duration_ns == pytest.approx(explain(cycle).wall.value_ns, abs=2)


def test_without_evidence_it_has_no_interval() -> None:
    found = explain(predicted(errors=NO_ERRORS))
    assert not found.wall.has_interval
    assert found.wall.value_ns > 0
    said = found.cycle.samples.prediction
    assert said is not None
    assert (said.unseen, said.mean_error) == (0, None)


def test_an_operation_of_unknown_time_is_named() -> None:
    cycle = predicted(tokenizer=None)
    said = cycle.samples.prediction
    assert said is not None
    assert [cycle.graph.names[i] for i in said.unknown_operations] == ["tokenize"]
    assert any("unknown" in str(note) for note in cycle.notes)
    assert explain(cycle).wall.value_ns < explain(predicted()).wall.value_ns


def test_memory_that_is_missing_is_said() -> None:
    graph = paper_bert(2)
    needed = explain(predicted(graph)).memory
    assert needed is not None
    machine = replace(predicted(graph).machine, memory_bytes=1_000_000)
    model = replace(PAPER_BERT_WORKLOAD.model, parameter_bytes=0)
    workload = replace(PAPER_BERT_WORKLOAD, model=model)
    assert missing_bytes(graph, workload, machine) == needed.computed.peak - 1_000_000
    assert missing_bytes(graph, workload, replace(machine, memory_bytes=0)) == 0
    assert missing_bytes(graph, workload, replace(machine, memory_bytes=10**12)) == 0
