"""The public document and its schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from paper_models import paper_bert, paper_cycle

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.document import document, to_json
from cyclescope.report.documents.schema import CycleReport, json_schema
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.cycle import cycle_page

from .strategies import Timed, timed_graphs

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "schema" / "cycle-report-1.json"
EXPLANATIONS = ["explanation", "hostile", "unmeasured", "wall_only"]


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=no_constant)


def test_the_schema_in_the_documentation_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == json_schema(), "run: python docs/schema/generate.py"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema()))


def ends_of(part: Any) -> dict[str, Any]:
    """Everything in the document that is an end of an interval, by where it stands."""
    found = {}
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        if re.search("(^|_)(low|high)(_ns)?$", str(key)):
            found[str(key)] = value
        found |= {f"{key}.{below}": end for below, end in ends_of(value).items()}
    return found


@pytest.mark.parametrize("runs", [1, 5, 6])
def test_below_six_cycles_nothing_has_an_interval(runs: int) -> None:
    told = explain(paper_cycle(paper_bert(2), pace=(1.0, 1.9, 0.6, 1.4, 0.8, 1.2), runs=runs))
    document_of = strict(to_json(told))
    jsonschema.validate(document_of, json.loads(json_schema()))
    ends = {key: end for key, end in ends_of(document_of).items() if end is not None}
    page = cycle_page(told)
    written = to_text(page, 200) + to_markdown(page)

    interval = re.search(r"±|\[(?!!)", written)  # the kinds of a Markdown note stand in [!…]

    assert (bool(ends), bool(interval)) == (runs >= 6, runs >= 6), ends


@pytest.mark.parametrize("which", EXPLANATIONS)
def test_documents_validate_and_read_back(which: str, request: pytest.FixtureRequest) -> None:
    explanation = request.getfixturevalue(which)
    text = to_json(explanation)
    assert text.isascii()
    jsonschema.validate(strict(text), json.loads(json_schema()))
    assert CycleReport.model_validate_json(text) == document(explanation)


def test_a_document_that_is_off_is_refused(explanation: Explanation) -> None:
    data = strict(to_json(explanation))
    data["stages"][0]["time_ns"] = "long"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(json_schema()))


def test_what_the_schema_promises(explanation: Explanation) -> None:
    data = strict(to_json(explanation))
    assert data["schema"] == "cyclescope/cycle-report/1"
    wall, closure = data["wall"], data["closure"]
    assert wall["low_ns"] <= wall["median_ns"] <= wall["high_ns"]
    assert wall["n"] == 18
    assert closure["attributed_ns"] + closure["rest_ns"] == pytest.approx(wall["median_ns"])
    assert closure["ratio"] == pytest.approx(closure["attributed_ns"] / wall["median_ns"])
    assert sum(row["time_ns"] for row in closure["rows"]) == pytest.approx(wall["median_ns"])
    for stage in data["stages"]:
        assert stage["operations_ns"] + stage["python_ns"] == pytest.approx(stage["time_ns"])
    total = sum(stage["time_ns"] for stage in data["stages"])
    assert total == pytest.approx(closure["attributed_ns"])
    for row in [*data["stages"], *data["layers"], *data["operations"], *data["places"]]:
        assert row["share"] == pytest.approx(row["time_ns"] / total)
    assert [layer["index"] for layer in data["layers"]] == list(range(12))
    assert data["operations"][0]["site"] == {
        "stage": "encode",
        "layer": 7,
        "module": "encoder.layer.7.intermediate.dense",
    }
    assert data["machine"]["packages"] == [{"name": "torch", "version": "2.13"}]
    assert data["workload"]["model"]["weights"] == "random"
    assert data["set_up"]["import_ns"] == 1_830_000_000
    found = {finding["code"]: finding for finding in data["findings"]}
    assert found["compute-bound"]["share"] == pytest.approx(0.9, abs=0.01)
    assert found["compute-bound"]["gain_at_most"] is None
    assert found["compute-bound"]["place"]["operation"] == data["operations"][0]["index"]


def test_every_figure_is_that_of_the_explanation(explanation: Explanation) -> None:
    data = strict(to_json(explanation))
    cpu, closure = explanation.cpu, explanation.closure
    wall = data["wall"]
    assert wall["minimum_ns"] == explanation.minimum_ns < wall["median_ns"]
    assert (wall["cpu_median_ns"], wall["cpu_low_ns"], wall["cpu_high_ns"]) == (cpu.value_ns, cpu.low_ns, cpu.high_ns)
    assert data["closure"]["instrumentation_ratio"] == closure.instrumentation_ratio.value
    assert data["closure"]["instrumentation_ns"] == closure.instrumentation_ns
    lists = {"stages": explanation.stages, "layers": explanation.layers, "operations": explanation.operations}
    for name, rows in {**lists, "kinds": explanation.kinds, "places": explanation.places}.items():
        for told, row in zip(data[name], rows, strict=True):
            assert (told["time_ns"], told["low_ns"], told["high_ns"]) == (
                row.time.value_ns,
                row.time.low_ns,
                row.time.high_ns,
            )
            assert told["share"] == row.share
            assert (told["flops"], told["elementwise_flops"]) == (row.cost.flops, row.cost.elementwise_flops)
            assert (told["read_bytes"], told["written_bytes"]) == (row.cost.read_bytes, row.cost.written_bytes)
    assert [row["python_ns"] for row in data["layers"]] == [row.python_ns for row in explanation.layers]
    assert [row["count"] for row in data["places"]] == [row.count for row in explanation.places]
    assert [row["operations"] for row in data["stages"]] == [row.operations for row in explanation.stages]


def test_what_was_not_measured_is_null(unmeasured: Explanation) -> None:
    data = strict(to_json(unmeasured))
    assert data["partial"] is True
    assert data["wall"]["n"] == 0
    assert data["wall"]["median_ns"] is None
    assert data["closure"]["ratio"] is None
    assert data["closure"]["closes"] is False
    assert [warning["code"] for warning in data["warnings"]] == ["partial", "no-light-pass", "no-interval"]
    assert all(warning["remedy"] for warning in data["warnings"])


def test_every_number_has_a_unit_or_a_formula() -> None:
    schema = json.loads(json_schema())
    for name, definition in schema["$defs"].items():
        for field, described in definition["properties"].items():
            kinds = {described.get("type"), *(option.get("type") for option in described.get("anyOf", []))}
            if kinds & {"number", "integer"} and (name, field) != ("How", "seed"):
                assert described.get("description"), f"{name}.{field}"


def test_texts_are_in_the_document_only_if_the_cycle_kept_them(explanation: Explanation, hostile: Explanation) -> None:
    assert strict(to_json(explanation))["workload"]["texts"] == []
    assert strict(to_json(hostile))["workload"]["texts"][-1] == "fa:fa-car"


@settings(max_examples=30)
@given(timed_graphs())
def test_any_graph_makes_a_valid_document(timed: Timed) -> None:
    text = to_json(explain(paper_cycle(timed.graph, timed.slot_ns, runs=3)))
    jsonschema.validate(strict(text), json.loads(json_schema()))


def test_the_document_holds_every_operation(explanation: Explanation, graph: Graph) -> None:
    data = strict(to_json(explanation))
    assert sorted(row["index"] for row in data["operations"]) == list(range(len(graph)))
    assert sum(row["flops"] for row in data["operations"]) == graph.total.flops
