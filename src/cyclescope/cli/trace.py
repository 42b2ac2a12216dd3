"""`cyclescope trace MODEL`."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, in_turn, notify, print_result, print_text, write_files
from cyclescope.cli.files import require_places
from cyclescope.cli.options import (
    AttentionOption,
    DtypeOption,
    FlowLevel,
    LevelOption,
    ModelArgument,
    OutFile,
    Task,
    optional,
)
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.core.graph.graph import Graph
    from cyclescope.report.page import Page


class TraceForm(StrEnum):
    """The forms of a structure."""

    TERMINAL = "terminal"
    MERMAID = "mermaid"
    JSON = "json"
    GRAPH = "graph"


def trace(
    model: ModelArgument,
    *,
    tokens: Annotated[int | None, optional(N_("Length of each sequence of synthetic tokens (default: 128)"))] = None,
    cache_length: Annotated[
        int | None,
        optional(
            N_(
                "Trace one decode step with this many tokens in the KV cache; --tokens is then the length of the "
                "encoder's input"
            )
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help=N_("Batch size"))] = 1,
    task: Annotated[Task, typer.Option(help=N_("Task, which determines the model's head"))] = Task.AUTO,
    dtype: DtypeOption = "float32",
    attention: AttentionOption = None,
    form: Annotated[TraceForm, typer.Option("--as", help=N_("Output format"))] = TraceForm.TERMINAL,
    level: LevelOption = FlowLevel.STAGE,
    out: OutFile = None,
    forms: Forms,
) -> None:
    """Trace the structure of a model."""
    require_places((out, *forms.files))
    from cyclescope.backends.base import DEFAULT_TOKENS
    from cyclescope.cli.progress import progress
    from cyclescope.tracing.trace import trace as trace_model

    with progress(forms.language) as show:
        show("trace", 0.0)
        graph = trace_model(
            model,
            tokens=tokens,
            cache_length=cache_length,
            batch=batch,
            task=task.value,
            dtype=dtype,
            attention=attention.value if attention else None,
        )

    def page() -> Page:
        from cyclescope.report.pages.structure import structure_page

        return structure_page(graph, model, batch, tokens or DEFAULT_TOKENS)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.structure import structure_document

        return dump(structure_document(graph, model, batch, tokens or DEFAULT_TOKENS))

    result = Result(page, document)
    form = TraceForm.JSON if forms.as_json else form
    if out is not None:
        first = partial(_write, result, graph, form, level, out, forms.language)
    elif form in (TraceForm.MERMAID, TraceForm.GRAPH):
        first = partial(_print, graph, form, level, forms.language)
    else:
        first = partial(print_result, result, Forms(as_json=form is TraceForm.JSON, lang=forms.lang))
    in_turn(first, partial(write_files, result, forms))


def _print(graph: Graph, form: TraceForm, level: FlowLevel, language: str) -> None:
    print_text(_exported(graph, form, level, language))


def _write(result: Result, graph: Graph, form: TraceForm, level: FlowLevel, out: Path, language: str) -> None:
    from cyclescope.report.media.terminal import to_text
    from cyclescope.store.writing import write_text

    if form in (TraceForm.MERMAID, TraceForm.GRAPH):
        text = _exported(graph, form, level, language)
    else:
        text = result.document() if form is TraceForm.JSON else to_text(result.page(), language=language)
    write_text(out, text)
    notify(m("Wrote {form}: {path}", form=form.value, path=str(out)), language)


def _exported(graph: Graph, form: TraceForm, level: FlowLevel, language: str) -> str:
    if form is TraceForm.GRAPH:
        from cyclescope.report.documents.graph import graph_json

        return graph_json(graph)
    from cyclescope.explaining.dataflow import Level
    from cyclescope.report.exports.mermaid import mermaid

    return mermaid(graph, Level(level.value), language)
