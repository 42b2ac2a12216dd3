"""The forms in which a cycle can be told, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclescope.explaining.explanation import Explanation


class Form(StrEnum):
    """`terminal` and `markdown` are for reading, `html` for looking, `json` for machines; the others for other tools."""

    TERMINAL = "terminal"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    MERMAID = "mermaid"
    GRAPH = "graph"
    PERFETTO = "perfetto"
    SPEEDSCOPE = "speedscope"


class Language(StrEnum):
    """Languages of the reports."""

    ENGLISH = "en"
    CHINESE = "zh"


class FlowLevel(StrEnum):
    """How finely the data flow is drawn."""

    STAGE = "stage"
    LAYER = "layer"
    OPERATION = "operation"


def told(explanation: Explanation, form: Form, language: Language, level: FlowLevel = FlowLevel.STAGE) -> str:
    """`explanation` in `form`, as text. `Form.TERMINAL` is 80 columns wide here, without colours."""
    # Each form loads what it needs and no more: a JSON document must not pay for a template engine.
    if form is Form.HTML:
        from cyclescope.report.media.html.html import render

        return render(explanation, lang=language.value)
    if form is Form.JSON:
        from cyclescope.report.documents.cycle.document import cycle_document
        from cyclescope.report.documents.figures import dump

        return dump(cycle_document(explanation))
    if form is Form.MERMAID:
        from cyclescope.explaining.dataflow import Level
        from cyclescope.report.exports.mermaid import mermaid

        return mermaid(explanation.cycle.graph, Level(level.value), language.value)
    if form is Form.GRAPH:
        from cyclescope.report.documents.graph import graph_json

        return graph_json(explanation.cycle.graph)
    if form is Form.PERFETTO:
        from cyclescope.report.exports.perfetto import to_perfetto

        return to_perfetto(explanation)
    if form is Form.SPEEDSCOPE:
        from cyclescope.report.exports.speedscope import to_speedscope

        return to_speedscope(explanation)
    from cyclescope.report.pages.cycle import cycle_page

    page = cycle_page(explanation, language.value)
    if form is Form.MARKDOWN:
        from cyclescope.report.media.markdown import to_markdown

        return to_markdown(page, language.value)
    from cyclescope.report.media.terminal import to_text

    return to_text(page, language=language.value)


def print_told(explanation: Explanation, form: Form, language: Language, level: FlowLevel = FlowLevel.STAGE) -> None:
    """`explanation` in `form` on standard output; the terminal form as wide as the terminal, with its colours."""
    if form is Form.TERMINAL:
        from cyclescope.report.media.terminal import print_page
        from cyclescope.report.pages.cycle import cycle_page

        print_page(cycle_page(explanation, language.value), language=language.value)
    else:
        import sys

        text = told(explanation, form, language, level)
        # Bytes, so that a console of another encoding cannot break a JSON document in the middle.
        sys.stdout.flush()
        rest = memoryview(text.encode("utf-8") + (b"" if text.endswith("\n") else b"\n"))
        while rest:  # with PYTHONUNBUFFERED a write may take a part of it and say so only in what it returns
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
