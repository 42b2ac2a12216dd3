"""One way from a page's name to its output, whatever modules stand behind it: all that knows where they are is here."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from paper_html import notebook_html
from paper_html import render as render_cycle

from cyclescope.explaining.dataflow import Level
from cyclescope.explaining.dialogue import explain_dialogue
from cyclescope.explaining.explain import explain
from cyclescope.explaining.languages import explain_texts
from cyclescope.explaining.metrics.definition import DEFINITIONS, define
from cyclescope.machines.doctor import examine
from cyclescope.report.documents.applied import applied_document
from cyclescope.report.documents.calibration import calibration_document
from cyclescope.report.documents.cluster_learning import cluster_learning_document
from cyclescope.report.documents.comparison import comparison_document
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.definitions import definitions_document
from cyclescope.report.documents.dialogue import dialogue_document
from cyclescope.report.documents.doctor import doctor_document
from cyclescope.report.documents.figures import Document, dump
from cyclescope.report.documents.graph import graph_json
from cyclescope.report.documents.models import models_document
from cyclescope.report.documents.optimization import optimization_document
from cyclescope.report.documents.structure import structure_document
from cyclescope.report.documents.tokens import tokens_document
from cyclescope.report.documents.verification import verification_document
from cyclescope.report.documents.what_if import what_if_document
from cyclescope.report.exports.mermaid import mermaid
from cyclescope.report.exports.perfetto import to_perfetto
from cyclescope.report.exports.speedscope import to_speedscope
from cyclescope.report.media.html.html import to_html
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.page import Page
from cyclescope.report.pages.applied import applied_page
from cyclescope.report.pages.calibration import calibration_page
from cyclescope.report.pages.cluster_learning import cluster_learning_page
from cyclescope.report.pages.comparison import comparison_page
from cyclescope.report.pages.cycle import undrawn_cycle_page
from cyclescope.report.pages.definitions import definition_page, definitions_page
from cyclescope.report.pages.dialogue import dialogue_page
from cyclescope.report.pages.doctor import doctor_page
from cyclescope.report.pages.models import models_page
from cyclescope.report.pages.optimization import optimization_page
from cyclescope.report.pages.structure import structure_page
from cyclescope.report.pages.tokens import tokens_page
from cyclescope.report.pages.verification import verification_page
from cyclescope.report.pages.what_if import what_if_page

from .markup import markup
from .subjects import LIMIT, SUBJECTS, subject

LANGUAGES = ("en", "zh")
# By medium: how a file of it ends. A document is the same in every language.
ENDINGS = {
    "terminal-80": "txt",
    "terminal-50": "txt",
    "ascii": "txt",
    "markdown": "md",
    "html": "html",
    "notebook": "html",
    "mermaid": "mmd",
    "mermaid-layer": "mmd",
    "document": "json",
    "graph": "json",
    "perfetto": "json",
    "speedscope": "json",
}
_SAME = ("document", "graph", "perfetto", "speedscope")
_USUAL = ("terminal-80", "terminal-50", "markdown", "document")
# Media beyond the usual ones; markup is long, so that a page has it once for each section that it can have.
_MORE = {
    "cycle-encoder": ("ascii", "html", "notebook", "mermaid", "mermaid-layer"),
    "cycle-generation": ("html", "mermaid", "mermaid-layer"),
    "cycle-device-waiting": ("html", "perfetto", "speedscope"),
    "cycle-roofline": ("html",),
    "cycle-experts": ("html",),
    "cycle-partial": ("html",),
    "cycle-wall-only": ("html",),
    "cycle-doubtful": ("html",),
    "cycle-imported": ("html", "perfetto"),
    "cycle-predicted": ("html",),
    "sweep-grid": ("html",),
    "optimization-found": ("ascii",),
}


def media(page: str) -> tuple[str, ...]:
    """The media that `page` is recorded in."""
    match page.partition("-")[0]:
        case "finding":
            return ("terminal-80",)
        case "structure":
            return (*_USUAL, "mermaid", "mermaid-layer", "graph")
        case "comparison":
            return (*_USUAL, "html")
        case _:
            return (*_USUAL, *_MORE.get(page, ()))


def outputs() -> list[tuple[str, str, str]]:
    """Every page, medium and language."""
    return [
        (page, medium, language)
        for page in SUBJECTS
        for medium in media(page)
        for language in (LANGUAGES[:1] if medium in _SAME else LANGUAGES)
    ]


def file_of(page: str, medium: str, language: str) -> str:
    """The name of the recorded output."""
    middle = medium if medium in _SAME else f"{medium}.{language}"
    return f"{page}.{middle}.{ENDINGS[medium]}"


@cache
def render(page: str, medium: str, language: str) -> str:
    """`page` in `medium` and `language`."""
    kind, value = page.partition("-")[0], subject(page)
    made: str
    match medium:
        case "terminal-80" | "terminal-50":
            made = to_text(_page(page, language), int(medium.rpartition("-")[2]), language=language)
        case "ascii":
            made = to_text(_page(page, language), 80, "ascii", language)
        case "markdown":
            made = to_markdown(_page(page, language), language)
        case "html" if kind in ("comparison", "sweep"):
            made = markup(to_html(_page(page, language), language))
        case "html":
            made = markup(render_cycle(_explained(page), lang=language))
        case "notebook":
            made = markup(notebook_html(value, lang=language))
        case "mermaid" | "mermaid-layer":
            level = Level.LAYER if medium.endswith("layer") else Level.STAGE
            made = mermaid(value.graph, level, language)
        case "graph":
            made = _indented(graph_json(value.graph))
        case "perfetto":
            made = _indented(to_perfetto(_explained(page)))
        case "speedscope":
            made = _indented(to_speedscope(_explained(page)))
        case _:
            made = _indented(dump(_DOCUMENTS[kind](_explained(page) if kind == "cycle" else value)))
    return made if made.endswith("\n") else made + "\n"


@cache
def _explained(page: str) -> Any:
    return explain(subject(page))


@cache
def _page(page: str, language: str) -> Page:
    kind, value = page.partition("-")[0], subject(page)
    match kind:
        case "cycle" | "finding":
            return undrawn_cycle_page(_explained(page))
        case "comparison":
            return comparison_page(value, LIMIT)
        case "structure":
            return structure_page(value.graph, "paper", 1, value.tokens)
        case "definitions":
            return definitions_page() if value is None else definition_page(define(value))
        case _:
            return _PAGES[kind](value, language)


_PAGES: dict[str, Callable[[Any, str], Page]] = {
    "optimization": lambda found, _: optimization_page(found),
    "verification": lambda found, _: verification_page(found),
    "applied": lambda done, _: applied_page(done),
    "calibration": lambda found, _: calibration_page(found),
    "cluster": lambda found, _: cluster_learning_page(found),
    "doctor": lambda facts, _: doctor_page(examine(facts)),
    "tokens": lambda costs, _: tokens_page(explain_texts(costs)),
    "dialogue": lambda dialogue, _: dialogue_page(explain_dialogue(dialogue)),
    "models": lambda rows, _: models_page(rows),
    "sweep": lambda found, _: what_if_page(found),
}
_DOCUMENTS: dict[str, Callable[[Any], Document]] = {
    "cycle": cycle_document,
    "comparison": lambda found: comparison_document(found, LIMIT),
    "optimization": optimization_document,
    "verification": verification_document,
    "applied": applied_document,
    "calibration": calibration_document,
    "cluster": cluster_learning_document,
    "doctor": lambda facts: doctor_document(examine(facts)),
    "tokens": lambda costs: tokens_document(explain_texts(costs)),
    "dialogue": lambda dialogue: dialogue_document(explain_dialogue(dialogue)),
    "structure": lambda cycle: structure_document(cycle.graph, "paper", 1, cycle.tokens),
    "definitions": lambda name: definitions_document(DEFINITIONS if name is None else (define(name),)),
    "models": models_document,
    "sweep": what_if_document,
}


_FIGURE = {"value", "low", "high", "n", "unit", "source", "remark"}  # stands on one line


def _indented(text: str) -> str:
    """A document with a value a line, but figures and lists of numbers on one."""
    return _lines(json.loads(text), "")


def _lines(value: Any, margin: str) -> str:
    inner = margin + " "
    if isinstance(value, dict) and value and not _FIGURE.issuperset(value):
        rows = [f"{inner}{json.dumps(key)}: {_lines(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{margin}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(f"{inner}{_lines(item, inner)}" for item in value) + f"\n{margin}]"
    return json.dumps(value, ensure_ascii=False)
