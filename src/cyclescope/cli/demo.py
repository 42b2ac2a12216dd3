"""`cyclescope demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle
from cyclescope.cli.deliver import Forms
from cyclescope.cli.options import LanguageOption, budget_option
from cyclescope.core.message import N_, m

_SENTENCES = (
    "The committee postponed its decision until the figures for the third quarter had been checked.",
    "A small encoder turns a sentence into a vector; sentences that mean the same lie close together.",
    "Where does the time go between the text that comes in and the vector that comes out?",
    "The train to Basel leaves from platform four in ten minutes.",
)
_CHINESE = "这是一个简单的BERT模型示例。"


def demo(
    *,
    folder: Annotated[Path, typer.Option("--folder", help=N_("Output folder for runs and pages"))] = Path("demo-out"),
    budget: Annotated[float, budget_option(N_("Measuring time for each of the two models"), "10s")] = 10.0,
    as_json: Annotated[
        bool, typer.Option("--json", help=N_("Print one JSON document per line, one for each model"))
    ] = False,
    lang: LanguageOption = None,
) -> None:
    """Measure two models, and save their runs and pages."""
    from cyclescope.backends.base import Request
    from cyclescope.cli.progress import progress
    from cyclescope.core.errors import OutputError
    from cyclescope.measuring.measure import measure_request

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(
            m("Cannot create the folder {folder}.", folder=str(folder)),
            m("{reason}.", reason=exc.strerror or str(exc)),
            m("Name another folder with --folder."),
        ) from exc
    for name, texts in (("minilm", _SENTENCES), ("bert-base-chinese", (_CHINESE,))):
        forms = Forms(html=folder / f"{name}.html", as_json=as_json, lang=lang)
        with progress(forms.language) as notify:
            cycle = measure_request(Request(model=name, texts=texts), budget, notify)
        deliver_cycle(cycle, folder / f"{name}.cycle", forms)
        if not as_json:
            typer.echo("")
