"""`cyclescope measure MODEL`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle
from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import require_places
from cyclescope.cli.options import Measuring, ModelArgument, Task, budget_option, optional
from cyclescope.core.errors import Interrupted, UsageError
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.backends.base import Request
    from cyclescope.measuring.options import MeasureOptions
    from cyclescope.report.page import Page


class ChatTemplate(StrEnum):
    """In whose words a dialogue is put to the model."""

    OWN = "own"
    PLAIN = "plain"


def measure(
    model: ModelArgument,
    *,
    measuring: Measuring,
    chat_template: Annotated[
        ChatTemplate,
        typer.Option(help=N_("Template of --task chat; own: the tokenizer's, plain: User: …, Assistant: …")),
    ] = ChatTemplate.OWN,
    export_to: Annotated[
        Path | None, optional(N_("Folder that keeps the exported model files (default: a temporary folder)"))
    ] = None,
    budget: Annotated[
        float | None,
        budget_option(N_("Measuring time after loading, such as 90s or 5m (default: 10s, 30s for a generation)")),
    ] = None,
    keep_text: Annotated[bool, typer.Option("--keep-text", help=N_("Store the texts in the run file"))] = False,
    out: Annotated[Path | None, optional(N_("Save the run to this file (.cycle)"))] = None,
    forms: Forms,
) -> None:
    """Measure the compute cycle of a model."""
    texts = measuring.texts
    chat = measuring.task is Task.CHAT
    if chat and out is not None:
        raise UsageError(
            m("A dialogue cannot be saved as a run."),
            m("It is a comparison of turns and not one cycle."),
            m("Remove --out; --json prints all of it."),
        )
    if not chat and chat_template is not ChatTemplate.OWN:
        raise UsageError(
            m("--chat-template needs the task chat (got {task}).", task=measuring.task.value),
            "",
            m("Remove --chat-template, or use --task chat."),
        )
    require_places((out, *forms.files), (measuring.text_file,))
    from cyclescope.backends.request_checks import check
    from cyclescope.cli.progress import progress
    from cyclescope.measuring.measure import measure_request
    from cyclescope.measuring.options import request_of

    keep = str(export_to) if export_to is not None else None
    options: MeasureOptions = {**measuring.options(), "keep_text": keep_text, "export_to": keep}
    request = request_of(model, texts, **options)
    if chat:
        _hold_dialogue(request, chat_template, budget, forms)
        return
    check(request)
    with progress(forms.language) as notify:
        cycle = measure_request(request, budget, notify)
    deliver_cycle(cycle, out, forms)


def _hold_dialogue(request: Request, template: ChatTemplate, budget: float | None, forms: Forms) -> None:
    """Measure a dialogue instead of a cycle, and report it."""
    from cyclescope.cli.progress import progress
    from cyclescope.explaining.dialogue import explain_dialogue
    from cyclescope.measuring.dialogue import dialogue_request

    with progress(forms.language) as notify:
        costs = explain_dialogue(dialogue_request(request, template.value, budget, notify))

    def page() -> Page:
        from cyclescope.report.pages.dialogue import dialogue_page

        return dialogue_page(costs)

    def document() -> str:
        from cyclescope.report.documents.dialogue import dialogue_document
        from cyclescope.report.documents.figures import dump

        return dump(dialogue_document(costs))

    deliver(Result(page, document), forms)
    if costs.dialogue.partial:
        raise Interrupted(m("Interrupted."), m("The report shows what was measured before."))
