"""What is told about an optimization, a verification and an application: both languages, narrow, hostile, as JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from valid_documents import validate

from cyclescope.cli.main import run
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.message import m
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Ratio
from cyclescope.core.workload import Weights
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import (
    OUT_OF_BUDGET,
    Contribution,
    LabelScore,
    NotTried,
    Optimization,
    Outcome,
    Phase,
    Row,
    Skip,
    Spent,
    Unfinished,
)
from cyclescope.optimizing.recipes import recipe as recipes
from cyclescope.optimizing.recipes import snippet
from cyclescope.optimizing.recipes.apply import Applied
from cyclescope.optimizing.recipes.recipe import recipe_of
from cyclescope.optimizing.recipes.verify import Verification
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report.documents.applied import AppliedDocument, applied_document
from cyclescope.report.documents.figures import Document, dump
from cyclescope.report.documents.optimization import OptimizationDocument, optimization_document
from cyclescope.report.documents.verification import VerificationDocument, verification_document
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.optimizing import outcome_words, skip_words
from cyclescope.report.naming.plans import plan_words
from cyclescope.report.page import Note, Severity
from cyclescope.report.pages.applied import RUN_IT_HERE, applied_page
from cyclescope.report.pages.optimization import (
    NOTHING_TO_TRY,
    RANDOM_WEIGHTS,
    UNDECIDED,
    UNTRIED,
    answer,
    nothing_faster,
    optimization_page,
)
from cyclescope.report.pages.verification import BRINGS_LESS, verification_page
from cyclescope.report.pages.verification import answer as verification_answer
from cyclescope.report.words.translate import say_in

from .optimizations import APPLIED, ELSEWHERE, FAILS, FOUND, HOLDS, NOTHING, OPEN, OTHER
from .verifications import verified

PAGES = {
    "found": optimization_page(FOUND),
    "nothing": optimization_page(NOTHING),
    "partial": optimization_page(replace(FOUND, partial=True)),
    "holds": verification_page(HOLDS),
    "fails": verification_page(FAILS),
    "open": verification_page(replace(OPEN, partial=True)),
    "elsewhere": verification_page(ELSEWHERE),
    "applied": applied_page(APPLIED),
    "other": applied_page(OTHER),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("which", ["found", "nothing", "holds", "elsewhere", "applied"])
def test_the_page(which: str, language: str, snapshot: SnapshotAssertion) -> None:
    assert to_text(PAGES[which], language=language) == snapshot


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("which", PAGES)
def test_no_line_is_wider_than_the_terminal(which: str, language: str, width: int) -> None:
    for line in to_text(PAGES[which], width, language=language).splitlines():
        assert cell_len(line) <= width, line


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("which", PAGES)
def test_what_strangers_wrote_cannot_act(which: str, language: str) -> None:
    page = PAGES[which]
    text, html = to_text(page, language=language), to_html(page, language)
    assert "\x1b" not in text + html
    assert "\u202e" not in text + html
    assert "<script>alert" not in html
    assert not re.search(r"(?<!\\)<script", to_markdown(page, language))


def test_an_unknown_language_is_refused() -> None:
    for page in PAGES.values():
        with pytest.raises(UsageError):
            to_text(page, language="tlh")


def test_nothing_that_was_tried_is_hidden() -> None:
    text = to_markdown(optimization_page(FOUND)).replace("\\", "")
    assert {row.outcome for row in FOUND.rows} >= {Outcome.TRIED, Outcome.DRIFTED, Outcome.FAILED, Outcome.MISSING}
    assert "SIGSEGV" in text
    assert "pip install 'cyclescope[onnxruntime]'" in text
    assert "outputs drift too far" in text


def test_only_what_is_confirmed_is_recommended() -> None:
    assert "(recommended)" in told(FOUND)
    for changes in ({"confirmed": False}, {"verdict": Verdict.INCONCLUSIVE}):
        rows = tuple(replace(row, **changes) for row in FOUND.rows)
        text = told(replace(FOUND, rows=rows))
        assert "(recommended)" not in text
        assert "(fastest, not confirmed)" in text


def told(found: Optimization) -> str:
    return " ".join(to_text(optimization_page(found)).split())


def _only(*rows: Row, **changes: Any) -> Optimization:
    return replace(NOTHING, rows=(FOUND.rows[0], *rows), front=(0,), **changes)


FASTER = next(row for row in FOUND.rows[1:] if row.ratio is not None and row.ratio.high < 1)
DRIFTED = next(row for row in FOUND.rows if row.outcome is Outcome.DRIFTED)
NO_TIME: dict[str, Any] = {
    "unfinished": (Unfinished(Phase.CONFIRMATION),),
    "not_tried": (NotTried("engine", Skip.OUT_OF_BUDGET),),
}
ALL_TRIED: dict[str, Any] = {"unfinished": (), "not_tried": ()}


def test_what_there_was_no_time_for_is_not_called_a_baseline_to_keep() -> None:
    assert answer(_only(**NO_TIME)) == UNTRIED
    assert answer(_only(partial=True, **ALL_TRIED)) == UNTRIED
    assert answer(_only(**ALL_TRIED)) == NOTHING_TO_TRY
    seen = str(answer(_only(FASTER, **NO_TIME)))
    assert "Keep the baseline" not in seen
    assert str(plan_words(FASTER.plan, FOUND.rows[0].plan)) in seen
    few = replace(FASTER, ratio=Ratio(0.03, 0.001, 1.7, 3))  # three rounds tell no interval worth the name
    assert "which is not confirmed" in str(answer(_only(few, **NO_TIME)))
    slower = replace(FASTER, ratio=Ratio(1.2, 1.1, 1.3, 9))
    assert answer(_only(slower, **NO_TIME)) == nothing_faster(1)
    assert answer(_only(slower, partial=True, **ALL_TRIED)) == UNDECIDED
    assert answer(_only(FASTER, **ALL_TRIED)) == nothing_faster(1)  # the confirmation was run
    assert answer(_only(DRIFTED, FASTER, **ALL_TRIED)) == nothing_faster(2)


def test_a_plan_that_drifted_is_never_told_as_the_faster_one() -> None:
    fast = replace(DRIFTED, ratio=Ratio(0.1, 0.1, 0.1, 9))
    assert answer(_only(fast, **NO_TIME)) == nothing_faster(1)


def test_an_interruption_before_anything_was_faster_does_not_promise_a_best() -> None:
    text = told(_only(partial=True, **ALL_TRIED))
    assert "Interrupted before any plan appeared faster." in text
    assert "best plan so far" not in text
    unconfirmed = tuple(replace(r, confirmed=False) for r in FOUND.rows)
    assert "it was not confirmed" in told(replace(FOUND, partial=True, rows=unconfirmed))


def test_what_was_tried_on_one_plan_is_not_listed_as_never_tried() -> None:
    name = FASTER.strategies[-1]
    reasons = (
        NotTried(name, Skip.NOT_APPLICABLE, detail="Already enabled."),
        NotTried(name, Skip.OUT_OF_BUDGET),
        NotTried("relu", Skip.OUT_OF_BUDGET),
    )
    text = told(_only(FASTER, not_tried=reasons, unfinished=(Unfinished(Phase.CONFIRMATION),)))
    assert f"{name} not on every plan: out of budget" in text
    assert "relu out of budget" in text
    assert "confirmation out of budget" in text
    assert "ablation out of budget, after 3 rounds" in told(_only(unfinished=(Unfinished(Phase.ABLATION, 3),)))


@pytest.mark.parametrize("why", [why for why in Skip if why is not Skip.NOT_APPLICABLE])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_code_against_a_strategy_has_its_words(why: Skip, language: str) -> None:
    words = skip_words(NotTried("relu", why, detail="pip install relu"))
    assert words
    assert ("pip install relu" in str(words)) is (why is Skip.NOT_INSTALLED)
    assert language == "en" or say_in("zh")(words) != str(words)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.TRIED])
def test_every_outcome_has_its_words_in_both_languages(outcome: Outcome) -> None:
    words = outcome_words(replace(DRIFTED, outcome=outcome, reason=m("The engine failed."), way_out="Wait."))
    assert ("Wait." in str(words)) is (outcome not in (Outcome.DRIFTED, Outcome.MISLABELED))
    assert say_in("zh")(words) != str(words)


def test_code_that_would_fetch_its_model_is_told_with_the_place_of_it_here() -> None:
    text = to_markdown(applied_page(replace(APPLIED, model_here="/a b/model")))
    assert "python out/model.py --model '/a b/model'" in text
    assert str(RUN_IT_HERE) in text
    assert "--model '" not in to_markdown(applied_page(APPLIED))


def test_a_loss_without_labels_is_refused_before_anything_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["optimize", "no such model", "--max-loss", "0.1"])
    assert ended.value.code == UsageError.exit_code
    assert "--labels" in capsys.readouterr().err


def test_a_phase_that_had_nothing_to_do_took_no_time() -> None:
    phases = to_text(
        optimization_page(replace(FOUND, spent=(Spent(Phase.ABLATION, 9_000), Spent(Phase.EXPLANATION, 2_000_000)))),
        100,
    )
    assert "µs" not in phases.partition("Time spent")[2]
    assert "2.00 ms" in phases


def test_what_was_not_tried_names_its_plan() -> None:
    plan = replace(FOUND.rows[0].plan, threads=7)
    made = optimization_document(
        replace(FOUND, not_tried=(NotTried("threads", Skip.OUT_OF_BUDGET, plan), NotTried("distil", Skip.OPT_IN)))
    )
    assert [left.plan and left.plan.threads for left in made.not_tried] == [7, None]


@pytest.mark.parametrize("threads", ["0", "-1"])
def test_no_threads_are_refused_before_anything_is_loaded(threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["optimize", "no such model", "--threads", threads])
    assert ended.value.code == UsageError.exit_code
    assert f"--threads must be at least 1 (got {threads})" in capsys.readouterr().err


def test_what_parts_and_processes_come_to_is_told_in_chinese_as_well() -> None:
    without = FOUND.rows[0].plan
    part = Contribution("engine", without, None, Verdict.INCONCLUSIVE, OUT_OF_BUDGET)
    killed = EngineError(m("The trial process was killed."), m("Most likely the system ran out of memory.")).summary
    row = replace(FOUND.rows[0], plan=replace(without, threads=7), outcome=Outcome.FAILED, reason=killed, ratio=None)
    text = to_markdown(optimization_page(replace(FOUND, contributions=(part,), rows=(*FOUND.rows, row))), "zh")
    assert str(OUT_OF_BUDGET) not in text
    assert "试验进程被终止" in text


def test_random_weights_are_said_to_say_little() -> None:
    model = replace(FOUND.before.workload.model, weights=Weights.RANDOM)
    before = replace(FOUND.before, workload=replace(FOUND.before.workload, model=model))
    assert str(RANDOM_WEIGHTS) in told(replace(FOUND, before=before))
    pretrained = replace(model, weights=Weights.PRETRAINED)
    before = replace(before, workload=replace(before.workload, model=pretrained))
    assert str(RANDOM_WEIGHTS) not in told(replace(FOUND, before=before))


def test_labels_are_told_before_and_after() -> None:
    rows = list(FOUND.rows)
    rows[0] = replace(rows[0], labels=LabelScore(9, 10))
    rows[FOUND.best] = replace(rows[FOUND.best], labels=LabelScore(8, 10))
    assert "9 before, 8 after, of 10" in to_text(optimization_page(replace(FOUND, rows=tuple(rows))))


@pytest.mark.parametrize(
    ("load", "code"),
    [
        (Load(other_busy=0.42), "other-load"),
        (Load(swapped=True), "swapped"),
        (Load(throttled_ns=5_000_000_000), "throttled"),
    ],
)
@pytest.mark.parametrize(("language", "remedy"), [("en", "idle"), ("zh", "空闲")])
def test_what_went_on_beside_puts_the_comparison_in_doubt(load: Load, code: str, language: str, remedy: str) -> None:
    found, checked = replace(FOUND, load=load), replace(verified(0.5, 0.55, 0.6), load=load)
    for made in (optimization_document(found), verification_document(checked)):
        assert [warning.code for warning in made.warnings] == [code]
    pages = (optimization_page(found), verification_page(checked))
    quiet = (optimization_page(FOUND), verification_page(replace(checked, load=Load())))
    say = say_in(language)
    for page, without in zip(pages, quiet, strict=True):
        notes = [block for block in page.blocks if isinstance(block, Note) and block not in without.blocks]
        assert len(notes) == 1
        assert notes[0].severity is Severity.WARNING
        assert code != "other-load" or ("42.0 %" in say(notes[0].text) and remedy in say(notes[0].remedy))


def test_the_recipe_and_its_code_remember_what_went_on_beside() -> None:
    busy = recipe_of(replace(FOUND, load=Load(other_busy=0.42)))
    assert busy.proof.other_load == 0.42
    assert "42% of the cores" in snippet._head(busy)
    assert "of the cores" not in snippet._head(recipe_of(replace(FOUND, load=Load(other_busy=0.05))))
    assert "of the cores" not in snippet._head(recipe_of(replace(FOUND, load=Load())))


def test_what_went_on_beside_is_not_told_where_it_was_little() -> None:
    assert optimization_document(replace(FOUND, load=Load(other_busy=0.05))).warnings == []


def test_why_it_cannot_be_told_why_is_told() -> None:
    without = replace(FOUND, after=None, unfinished=(Unfinished(Phase.EXPLANATION, reason="It has no counters."),))
    assert "It has no counters." in to_text(optimization_page(without))


def test_a_recipe_that_holds_with_less_of_a_gain_says_so() -> None:
    less = str(BRINGS_LESS)
    assert str(verification_answer(verified(0.75, 0.8, 0.85))).endswith(less)
    assert less not in str(verification_answer(verified(0.6, 0.65, 0.7)))
    assert less not in str(verification_answer(FAILS))  # that it is not faster says it


# Documents --------------------------------------------------------------------------------------------------------------


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


@pytest.mark.parametrize("found", [FOUND, NOTHING, replace(FOUND, partial=True)])
def test_documents_of_optimizations_validate_and_read_back(found: Optimization) -> None:
    read_back(optimization_document(found), OptimizationDocument)
    assert optimization_document(found).workload.batch == 4  # of all texts, not of the call that was looked into


@pytest.mark.parametrize("found", [HOLDS, FAILS, OPEN, ELSEWHERE, verified(0.0, 0.5, math.inf, rounds=1)])
def test_documents_of_verifications_validate_and_read_back(found: Verification) -> None:
    read_back(verification_document(found), VerificationDocument)


@pytest.mark.parametrize("done", [APPLIED, OTHER])
def test_documents_of_applications_validate_and_read_back(done: Applied) -> None:
    read_back(applied_document(done), AppliedDocument)


def read_back(made: Document, kind: type[Document]) -> None:
    text = dump(made)
    assert text.isascii()
    validate(json.loads(text, parse_constant=no_constant), kind)
    assert kind.model_validate_json(text) == made


def test_a_drift_that_is_no_number_is_no_number_of_json() -> None:
    rows = list(FOUND.rows)
    rows[1] = replace(rows[1], drift=Drift(cosine=0.0, cosine_least=0.0, largest=math.inf, scale=1.0))
    assert json.loads(dump(optimization_document(replace(FOUND, rows=tuple(rows)))), parse_constant=no_constant)


# The recipe of an optimization -----------------------------------------------------------------------------------------


def test_the_recipe_says_what_the_best_row_was_proved_to_be() -> None:
    made, row = recipe_of(FOUND), FOUND.rows[FOUND.best]
    assert (made.plan, made.baseline) == (row.plan, FOUND.rows[0].plan)
    assert made.proof.speed_up == row.speed_up
    assert made.proof.low < made.proof.speed_up < made.proof.high
    assert made.proof.max_drift == 0.01
    assert made.proof.after_ms * made.proof.speed_up == pytest.approx(made.proof.before_ms)
    assert (made.work.texts, made.work.batch) == (4, 4)
    assert not made.model.encoder_decoder


def test_the_recipe_names_the_version_of_its_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "engine_packages", lambda engine: ((engine, "1.2.3"),))
    assert recipe_of(FOUND).proof.packages[-1] == f"{FOUND.rows[FOUND.best].plan.engine} 1.2.3"


def test_a_recipe_of_a_plan_that_was_not_proved_says_so() -> None:
    unproved = tuple(replace(row, confirmed=False) for row in FOUND.rows)
    assert not recipe_of(replace(FOUND, rows=unproved, partial=True)).proof.proved
    assert recipe_of(FOUND).proof.proved


def test_there_is_no_recipe_where_nothing_is_faster() -> None:
    with pytest.raises(UsageError, match="no plan is confirmed"):
        recipe_of(NOTHING)
