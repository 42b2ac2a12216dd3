"""`cyclescope demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.forms import Form, Language
from cyclescope.cli.options import LanguageOption, budget_option

_SENTENCES = (
    "The committee postponed its decision until the figures for the third quarter had been checked.",
    "A small encoder turns a sentence into a vector; sentences that mean the same lie close together.",
    "Where does the time go between the text that comes in and the vector that comes out?",
    "The train to Basel leaves from platform four in ten minutes.",
)
_CHINESE = "这是一个简单的BERT模型示例。"


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the runs and the pages go.")] = Path("demo-out"),
    budget: Annotated[
        float,
        budget_option("How long to measure each of the two models.", "10s"),
    ] = 10.0,
    lang: LanguageOption = Language.ENGLISH,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document a line, one for each model.")
    ] = False,
) -> None:
    """Measure a real pretrained MiniLM on real sentences, then the bert-base-chinese architecture on one of its own."""
    from cyclescope.backends.base import Request
    from cyclescope.cli.measure import deliver
    from cyclescope.cli.progress import progress
    from cyclescope.core.errors import OutputError
    from cyclescope.measuring.measure import measure_request

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(
            f"Cannot make the folder {folder}.", f"{exc.strerror}.", "Name another with --folder."
        ) from exc
    for name, texts in (("minilm", _SENTENCES), ("bert-base-chinese", (_CHINESE,))):
        with progress() as notify:
            cycle = measure_request(Request(model=name, texts=texts), budget, notify)
        form = Form.JSON if as_json else Form.TERMINAL
        deliver(cycle, folder / f"{name}.cycle", folder / f"{name}.html", form, lang)
        if not as_json:
            typer.echo("")
