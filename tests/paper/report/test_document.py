"""The public document and its schema."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from paper_models import paper_bert, paper_cycle
from valid_documents import validate

from cyclescope.core.graph.graph import Graph
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.cycle.document import CycleDocument, cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.cycle import cycle_page

from .strategies import Timed, timed_graphs

EXPLANATIONS = ["explanation", "hostile", "unmeasured", "wall_only"]


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=no_constant)


def ends_of(part: Any) -> dict[str, Any]:
    """Everything in the document that is an end of an interval, by where it stands."""
    found = {}
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        if re.search("(^|_)(low|high)$", str(key)):
            found[str(key)] = value
        found |= {f"{key}.{below}": end for below, end in ends_of(value).items()}
    return found


@pytest.mark.parametrize("runs", [1, 5, 6])
def test_below_six_cycles_nothing_has_an_interval(runs: int) -> None:
    told = explain(paper_cycle(paper_bert(2), pace=(1.0, 1.9, 0.6, 1.4, 0.8, 1.2), runs=runs))
    document_of = strict(dump(cycle_document(told)))
    validate(document_of, CycleDocument)
    ends = {key: end for key, end in ends_of(document_of).items() if end is not None}
    page = cycle_page(told)
    written = to_text(page, 200) + to_markdown(page)

    interval = re.search(r"±|\[(?!!)", written)  # the kinds of a Markdown note stand in [!…]

    assert (bool(ends), bool(interval)) == (runs >= 6, runs >= 6), ends


@pytest.mark.parametrize("which", EXPLANATIONS)
def test_documents_validate_and_read_back(which: str, request: pytest.FixtureRequest) -> None:
    explanation = request.getfixturevalue(which)
    text = dump(cycle_document(explanation))
    assert text.isascii()
    validate(strict(text), CycleDocument)
    assert CycleDocument.model_validate_json(text) == cycle_document(explanation)


def test_a_document_that_is_off_is_refused(explanation: Explanation) -> None:
    data = strict(dump(cycle_document(explanation)))
    data["stages"][0]["time"]["value"] = "long"
    with pytest.raises(jsonschema.ValidationError):
        validate(data, CycleDocument)


def test_what_the_schema_promises(explanation: Explanation) -> None:
    data = strict(dump(cycle_document(explanation)))
    assert data["schema"] == "cyclescope/cycle-report/2"
    wall, closure = data["wall"], data["closure"]
    assert wall["low"] <= wall["value"] <= wall["high"]
    assert (wall["n"], wall["unit"]) == (18, "s")
    assert closure["attributed_s"] + closure["rest_s"] == pytest.approx(wall["value"])
    assert closure["ratio"]["value"] == pytest.approx(closure["attributed_s"] / wall["value"])
    assert sum(row["time_s"] for row in closure["rows"]) == pytest.approx(wall["value"])
    for stage in data["stages"]:
        assert stage["operations_s"] + stage["python_s"] == pytest.approx(stage["time"]["value"])
    total = sum(stage["time"]["value"] for stage in data["stages"])
    assert total == pytest.approx(closure["attributed_s"])
    for row in [*data["stages"], *data["layers"], *data["operations"], *data["places"]]:
        assert row["share"] == pytest.approx(row["time"]["value"] / total)
    assert [layer["index"] for layer in data["layers"]] == list(range(12))
    assert data["operations"][0]["site"] == {
        "stage": "encode",
        "layer": 7,
        "module": "encoder.layer.7.intermediate.dense",
    }
    assert data["machine"]["packages"] == [{"name": "torch", "version": "2.13"}]
    assert data["workload"]["model"]["weights"] == "random"
    assert data["set_up"]["import_s"] == 1.83
    found = {finding["code"]: finding for finding in data["findings"]}
    assert found["compute-bound"]["share"] == pytest.approx(0.9, abs=0.01)
    assert found["compute-bound"]["gain_at_most"] is None
    assert found["compute-bound"]["place"]["operation"] == data["operations"][0]["index"]


def figure_of(time: Estimate) -> dict[str, Any]:
    low, high = time.low_ns / 1e9, time.high_ns / 1e9
    return {"value": time.value_ns / 1e9, "low": low, "high": high, "n": time.n, "unit": "s"}


def test_every_figure_is_that_of_the_explanation(explanation: Explanation) -> None:
    data = strict(dump(cycle_document(explanation)))
    cpu, closure = explanation.cpu, explanation.closure
    assert data["minimum_s"] == explanation.minimum_ns / 1e9 < data["wall"]["value"]
    assert data["cpu"] == figure_of(cpu)
    assert data["closure"]["instrumentation_ratio"]["value"] == closure.instrumentation_ratio.value
    assert data["closure"]["instrumentation_s"] == closure.instrumentation_ns / 1e9
    lists = {"stages": explanation.stages, "layers": explanation.layers, "operations": explanation.operations}
    for name, rows in {**lists, "kinds": explanation.kinds, "places": explanation.places}.items():
        for told, row in zip(data[name], rows, strict=True):
            assert told["time"] == figure_of(row.time)
            assert told["share"] == row.share
            assert told["work"] == {name: getattr(row.cost, name) for name in told["work"]}
            assert len(told["work"]) == 4
    assert [row["python_s"] for row in data["layers"]] == [row.python_ns / 1e9 for row in explanation.layers]
    assert [row["count"] for row in data["places"]] == [row.count for row in explanation.places]
    assert [row["operations"] for row in data["stages"]] == [row.operations for row in explanation.stages]


def test_what_was_not_measured_is_null(unmeasured: Explanation) -> None:
    data = strict(dump(cycle_document(unmeasured)))
    assert data["partial"] is True
    assert (data["wall"], data["cpu"], data["minimum_s"]) == (None, None, None)
    assert data["closure"]["ratio"] is None
    assert data["closure"]["closes"] is False
    assert [warning["code"] for warning in data["warnings"]] == ["partial", "no-instrumented-run", "no-interval"]
    assert all(warning["remedy"] for warning in data["warnings"])


def test_texts_are_in_the_document_only_if_the_cycle_kept_them(explanation: Explanation, hostile: Explanation) -> None:
    assert strict(dump(cycle_document(explanation)))["workload"]["texts"] == []
    assert strict(dump(cycle_document(hostile)))["workload"]["texts"][-1] == "fa:fa-car"


@settings(max_examples=30)
@given(timed_graphs())
def test_any_graph_makes_a_valid_document(timed: Timed) -> None:
    text = dump(cycle_document(explain(paper_cycle(timed.graph, timed.slot_ns, runs=3))))
    validate(strict(text), CycleDocument)


def test_the_document_holds_every_operation(explanation: Explanation, graph: Graph) -> None:
    data = strict(dump(cycle_document(explanation)))
    assert sorted(row["index"] for row in data["operations"]) == list(range(len(graph)))
    assert sum(row["work"]["flops"] for row in data["operations"]) == graph.total.flops
