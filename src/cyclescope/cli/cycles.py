"""The result of one cycle: what `measure` and `demo` give of a fresh one, and `show` of a saved one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cyclescope.cli.deliver import Forms, Result, deliver, notify
from cyclescope.cli.files import unused
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import m

if TYPE_CHECKING:
    from cyclescope.core.cycle import Cycle
    from cyclescope.explaining.explanation import Explanation
    from cyclescope.report.page import Page


def cycle_result(explanation: Explanation) -> Result:
    """The page and the document of one cycle."""

    def page() -> Page:
        from cyclescope.report.pages.cycle import undrawn_cycle_page

        return undrawn_cycle_page(explanation)

    def html(language: str) -> str:
        from cyclescope.report.media.html.html import to_html
        from cyclescope.report.pages.cycle import cycle_page

        return to_html(cycle_page(explanation), language)

    def document() -> str:
        from cyclescope.report.documents.cycle.document import cycle_document
        from cyclescope.report.documents.figures import dump

        return dump(cycle_document(explanation))

    return Result(page, document, html)


def deliver_cycle(cycle: Cycle, out: Path | None, forms: Forms) -> None:
    """Report a fresh cycle, and save it: a partial one even where no file was named. Raises `Interrupted` for one."""
    from cyclescope.explaining.explain import explain

    if cycle.partial and out is None:
        out = unused("cyclescope-partial", ".cycle")
    saves = [partial(save_run, cycle, out, forms.language)] if out is not None else []
    deliver(cycle_result(explain(cycle)), forms, *saves)
    if cycle.partial:
        raise Interrupted(m("Interrupted."), m("The partial result is saved: {path}", path=str(out)))


def save_run(cycle: Cycle, out: Path, language: str) -> None:
    """Save `cycle` and say so."""
    from cyclescope.store.run_file import save

    save(cycle, out)
    notify(m("Saved the run: {path}", path=str(out)), language)
