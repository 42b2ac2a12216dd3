"""`cyclescope trace MODEL`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.forms import FlowLevel, Language
from cyclescope.cli.measure import Task
from cyclescope.cli.options import AttentionOption, DtypeOption, LanguageOption, LevelOption


class TraceForm(StrEnum):
    """How the structure is told."""

    TERMINAL = "terminal"
    MERMAID = "mermaid"
    JSON = "json"


def trace(
    model: Annotated[str, typer.Argument(help="A folder, a config.json, a built-in architecture or a hub name.")],
    tokens: Annotated[
        int | None, typer.Option(help="Made-up tokens in each sequence, 128 unless given.", show_default=False)
    ] = None,
    cache_length: Annotated[
        int | None,
        typer.Option(
            help="Trace one decode step instead, with this many tokens in its cache; --tokens is then of the encoder.",
            show_default=False,
        ),
    ] = None,
    batch: Annotated[int, typer.Option(help="Sequences.")] = 1,
    task: Annotated[Task, typer.Option(help="Which head the model gets.")] = Task.AUTO,
    dtype: DtypeOption = "float32",
    attention: AttentionOption = None,
    form: Annotated[TraceForm, typer.Option("--as", help="How to tell it.")] = TraceForm.TERMINAL,
    level: LevelOption = FlowLevel.STAGE,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file instead of the screen.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --as json.")] = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Trace the structure of a model without its weights or their memory: operations, FLOPs, bytes, data flow."""
    from cyclescope.backends.base import DEFAULT_TOKENS
    from cyclescope.cli.progress import progress
    from cyclescope.measuring.measure import trace as trace_model
    from cyclescope.report.documents.graph import graph_json
    from cyclescope.report.media.terminal import print_page, to_text
    from cyclescope.report.pages.structure import structure_page
    from cyclescope.store.writing import write_text

    with progress() as notify:
        notify("trace", 0.0)
        graph = trace_model(
            model,
            tokens=tokens,
            cache_length=cache_length,
            batch=batch,
            task=task.value,
            dtype=dtype,
            attention=attention.value if attention else None,
        )
    form = TraceForm.JSON if as_json else form
    if form is TraceForm.TERMINAL:
        page = structure_page(graph, model, batch, tokens or DEFAULT_TOKENS, lang.value)
        if out is None:
            print_page(page, language=lang.value)
            return
        text = to_text(page, language=lang.value)
    elif form is TraceForm.MERMAID:
        from cyclescope.explaining.dataflow import Level
        from cyclescope.report.exports.mermaid import mermaid

        text = mermaid(graph, Level(level.value), lang.value)
    else:
        text = graph_json(graph)
    if out is not None:
        write_text(out, text)
        typer.echo(f"Wrote {form.value}: {out}", err=True)
    else:
        typer.echo(text)
