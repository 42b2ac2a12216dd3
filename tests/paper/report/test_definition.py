"""`cyclescope define`, its pages and its documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cyclescope.cli.main import run
from cyclescope.core.message import m
from cyclescope.explaining.metrics.definition import DEFINITIONS, Definition
from cyclescope.explaining.metrics.dialects import DIALECTS, Dialect, dialects_of
from cyclescope.explaining.metrics.formula import Formula
from cyclescope.explaining.metrics.metric import PERCENTS, least_samples
from cyclescope.report.documents.definitions import definitions_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.metrics import MEANINGS, POPULATIONS, QUANTITIES, REMARKS, formula
from cyclescope.report.pages.definitions import definition_page, definitions_page, formula_text
from cyclescope.report.words.translate import say_in

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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_has_every_metric_with_its_formula(language: str) -> None:
    text = to_text(definitions_page(), WIDE, language=language)
    for d in DEFINITIONS:
        formula = say_in(language)(formula_text(d))
        assert re.search(rf"^{d.name.value} .*{re.escape(formula)}", text, re.MULTILINE)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("d", DEFINITIONS, ids=NAMES)
def test_a_metric_is_told_with_its_clock_its_samples_and_all_its_dialects(d: Definition, language: str) -> None:
    say = say_in(language)
    text = packed(to_text(definition_page(d), WIDE, language=language))
    points = m("from {begin} to {end}", begin=QUANTITIES[d.begin], end=QUANTITIES[d.end])
    for part in (MEANINGS[d.name], POPULATIONS[d.population], points):
        assert packed(say(part)) in text
    for dialect in dialects_of(d.name):
        words = (formula(dialect.formula), *(REMARKS[r] for r in dialect.remarks))
        for part in (dialect.name, dialect.source.url, *map(say, words)):
            assert packed(part) in text


@pytest.mark.parametrize("formula_", [d.formula for d in (*DEFINITIONS, *DIALECTS)], ids=str)
def test_a_formula_in_words_has_the_brackets_of_its_text(formula_: Formula) -> None:
    say = say_in("zh")
    assert str(formula(formula_)) == formula_.text()
    assert say(formula(formula_)) == formula_.text({quantity: say(text) for quantity, text in QUANTITIES.items()})


def test_only_what_can_be_undefined_says_when() -> None:
    for d in DEFINITIONS:
        assert (f"below {d.least_tokens} tokens: absent, not zero" in to_text(definition_page(d))) is (
            d.least_tokens > 1
        )


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
    assert everything["schema"] == "cyclescope/definitions/2"
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


SI = {"ns": "s", "ns per 1000 positions": "s/position"}


def test_the_document_is_the_data() -> None:
    told = json.loads(dump(definitions_document(DEFINITIONS)))["metrics"]
    for metric, d in zip(told, DEFINITIONS, strict=True):
        assert (metric["formula"], metric["unit"]) == (d.formula.text(), SI.get(d.unit.value, d.unit.value))
        assert metric["percentiles_need"] == {f"p{p}": least_samples(p) for p in PERCENTS}


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def metric_row(d: Definition) -> str:
    """A metric as `docs/metrics.md` has it."""
    points = f"{d.begin.value} → {d.end.value}"
    least = str(d.least_tokens) if d.least_tokens > 1 else ""
    return row(f"`{d.name.value}`", str(formula_text(d)), points, d.population.value, d.unit.value, least)


def dialect_row(d: Dialect) -> str:
    """A dialect as `docs/metrics.md` has it."""
    remarks = " ".join(str(REMARKS[remark]) for remark in d.remarks)
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
