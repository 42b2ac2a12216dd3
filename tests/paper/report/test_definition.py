"""`cyclescope define`, its pages and its documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cyclescope.cli.main import run
from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition
from cyclescope.explaining.metrics.dialects import DIALECTS, Dialect, dialects_of
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples
from cyclescope.report.documents.definitions import definitions_json
from cyclescope.report.media.terminal import to_text
from cyclescope.report.pages.definitions import definition_page, definitions_page, formula_text
from cyclescope.report.words.strings import EN, ZH

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
NAMES = [d.name.value for d in DEFINITIONS]
WIDE = 400  # so that nothing is wrapped


def packed(text: str) -> str:
    """Without white space, so that it does not matter where a line was broken."""
    return "".join(text.split())


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        run(arguments)
    return int(exit_.value.code or 0)


@pytest.mark.parametrize("s", [EN, ZH], ids=["en", "zh"])
def test_the_list_has_every_metric_with_its_formula(s: object) -> None:
    words = ZH if s is ZH else EN
    text = to_text(definitions_page(words.language), WIDE)
    for d in DEFINITIONS:
        assert re.search(rf"^{d.name.value} .*{re.escape(formula_text(d, words))}", text, re.MULTILINE)


@pytest.mark.parametrize("s", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("d", DEFINITIONS, ids=NAMES)
def test_a_metric_is_told_with_its_clock_its_samples_and_all_its_dialects(d: Definition, s: object) -> None:
    words = ZH if s is ZH else EN
    text = packed(to_text(definition_page(d, words.language), WIDE))
    points = words.points_value.format(begin=words.quantity_names[d.begin], end=words.quantity_names[d.end])
    for part in (words.metric_texts[d.name], words.population_names[d.population], points):
        assert packed(part) in text
    for dialect in dialects_of(d.name):
        formula = dialect.formula.text(words.quantity_names)
        for part in (dialect.name, formula, dialect.source.url, *(words.remark_texts[r] for r in dialect.remarks)):
            assert packed(part) in text


def test_only_what_can_be_undefined_says_when() -> None:
    for d in DEFINITIONS:
        assert (EN.undefined_below.format(tokens=d.least_tokens) in to_text(definition_page(d))) is (d.least_tokens > 1)


def test_the_command_lists_all_or_tells_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("define") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in NAMES)
    assert ended("define", "time per output token") == 0
    assert "(last token − first token) ÷ (tokens − 1)" in capsys.readouterr().out
    assert ended("define", "tpot", "--lang", "zh") == 0
    assert "每词元时间" in capsys.readouterr().out


def test_the_command_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("define", "--json") == 0
    everything = json.loads(capsys.readouterr().out)
    assert everything["schema"] == "cyclescope/definitions/1"
    assert [metric["name"] for metric in everything["metrics"]] == NAMES
    assert sum(len(metric["dialects"]) for metric in everything["metrics"]) == len(DIALECTS)
    assert ended("define", "TPOT", "--json") == 0
    (tpot,) = json.loads(capsys.readouterr().out)["metrics"]
    assert tpot == everything["metrics"][NAMES.index("tpot")]
    assert tpot["least_tokens"] == 2


def test_an_unknown_name_ends_with_the_code_of_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("define", "tptt") == 2
    told = capsys.readouterr()
    assert "Did you mean tpot?" in told.err
    assert not told.out


def test_a_hostile_name_is_made_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("define", "\x1b[31mtpot") == 2
    assert "\x1b" not in capsys.readouterr().err


def test_the_document_is_the_data() -> None:
    told = json.loads(definitions_json(DEFINITIONS))["metrics"]
    for metric, d in zip(told, DEFINITIONS, strict=True):
        assert (metric["formula"], metric["unit"]) == (d.formula.text(), d.unit.value)
        assert metric["percentiles_need"] == {f"p{p}": least_samples(p) for p in PERCENTS}


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def metric_row(d: Definition) -> str:
    """A metric as `docs/metrics.md` has it."""
    points = f"{d.begin.value} → {d.end.value}"
    least = str(d.least_tokens) if d.least_tokens > 1 else ""
    return row(f"`{d.name.value}`", formula_text(d, EN), points, d.population.value, d.unit.value, least)


def dialect_row(d: Dialect) -> str:
    """A dialect as `docs/metrics.md` has it."""
    remarks = " ".join(EN.remark_texts[remark] for remark in d.remarks)
    return row(f"`{d.metric.value}`", f"[{d.tool.value}]({d.source.url})", f"`{d.name}`", d.formula.text(), remarks)


def test_the_documentation_has_the_definitions() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line.startswith("| `")]
    expected = [*map(metric_row, DEFINITIONS), *map(dialect_row, DIALECTS)]
    assert told == expected, "\n".join(["docs/metrics.md should have these rows:", *expected])


def test_the_documentation_says_how_many_samples_a_percentile_needs() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for percent in PERCENTS:
        assert f"p{percent} from {least_samples(percent)}" in text
