"""`cyclescope show RUN`."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.cycles import cycle_result
from cyclescope.cli.deliver import Forms, html_of, in_turn, notify, print_result, print_text, write_files
from cyclescope.cli.files import require_places
from cyclescope.cli.options import FlowLevel, LevelOption, OutFile, RunArgument
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.explaining.explanation import Explanation


class OutputForm(StrEnum):
    """`terminal`, `markdown` and `html` are for readers, `json` for machines; the others for other tools."""

    TERMINAL = "terminal"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    MERMAID = "mermaid"
    GRAPH = "graph"
    PERFETTO = "perfetto"
    SPEEDSCOPE = "speedscope"


def show(
    run: RunArgument,
    *,
    form: Annotated[OutputForm, typer.Option("--as", help=N_("Output format"))] = OutputForm.TERMINAL,
    out: OutFile = None,
    level: LevelOption = FlowLevel.STAGE,
    forms: Forms,
) -> None:
    """Show a saved run in any format, without running anything."""
    from cyclescope.explaining.explain import explain
    from cyclescope.store.run_file import load

    require_places((out, *forms.files), (run,))
    explanation = explain(load(run))
    result = cycle_result(explanation)
    form = OutputForm.JSON if forms.as_json else form
    steps = [partial(write_files, result, forms)]
    if out is not None:
        steps.insert(0, partial(_write, explanation, form, level, out, forms.language))
    elif form is not OutputForm.TERMINAL:
        steps.insert(0, partial(_print, explanation, form, level, forms.language))
    elif not any(forms.files):
        steps.insert(0, partial(print_result, result, forms))
    in_turn(*steps)


def _write(explanation: Explanation, form: OutputForm, level: FlowLevel, out: Path, language: str) -> None:
    from cyclescope.store.writing import write_text

    write_text(out, in_form(explanation, form, level, language))
    notify(m("Wrote {form}: {path}", form=form.value, path=str(out)), language)


def _print(explanation: Explanation, form: OutputForm, level: FlowLevel, language: str) -> None:
    print_text(in_form(explanation, form, level, language))


def in_form(explanation: Explanation, form: OutputForm, level: FlowLevel, language: str) -> str:
    """`explanation` in `form`, as text. `OutputForm.TERMINAL` is 80 columns wide here, without colours."""
    # Each form loads what it needs and no more: a JSON document must not pay for a template engine.
    result = cycle_result(explanation)
    match form:
        case OutputForm.HTML:
            return html_of(result, language)
        case OutputForm.JSON:
            return result.document()
        case OutputForm.MARKDOWN:
            from cyclescope.report.media.markdown import to_markdown

            return to_markdown(result.page(), language)
        case OutputForm.TERMINAL:
            from cyclescope.report.media.terminal import to_text

            return to_text(result.page(), language=language)
        case _:
            return _exported(explanation, form, level, language)


def _exported(explanation: Explanation, form: OutputForm, level: FlowLevel, language: str) -> str:
    if form is OutputForm.MERMAID:
        from cyclescope.explaining.dataflow import Level
        from cyclescope.report.exports.mermaid import mermaid

        return mermaid(explanation.cycle.graph, Level(level.value), language)
    if form is OutputForm.GRAPH:
        from cyclescope.report.documents.graph import graph_json

        return graph_json(explanation.cycle.graph)
    if form is OutputForm.PERFETTO:
        from cyclescope.report.exports.perfetto import to_perfetto

        return to_perfetto(explanation)
    from cyclescope.report.exports.speedscope import to_speedscope

    return to_speedscope(explanation)
