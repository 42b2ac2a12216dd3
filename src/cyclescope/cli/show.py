"""`cyclescope show RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.forms import FlowLevel, Form, Language, print_told, told
from cyclescope.cli.measure import require_different
from cyclescope.cli.options import HtmlFile, LanguageOption, LevelOption


def show(
    run: Annotated[Path, typer.Argument(help="A saved run (.cycle).")],
    form: Annotated[Form, typer.Option("--as", help="How to tell it.")] = Form.TERMINAL,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file instead of the screen.", show_default=False)
    ] = None,
    html: HtmlFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --as json.")] = False,
    level: LevelOption = FlowLevel.STAGE,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Tell a saved run again, in any form, without running anything."""
    from cyclescope.explaining.explain import explain
    from cyclescope.store.run_file import load
    from cyclescope.store.writing import write_text

    require_different(run, html, out)
    explanation = explain(load(run))
    form = Form.JSON if as_json else form
    if html is not None:
        write_text(html, told(explanation, Form.HTML, lang))
        typer.echo(f"Wrote the page: {html}", err=True)
    if out is not None:
        write_text(out, told(explanation, form, lang, level))
        typer.echo(f"Wrote {form.value}: {out}", err=True)
    elif html is None or as_json or form is not Form.TERMINAL:
        print_told(explanation, form, lang, level)
