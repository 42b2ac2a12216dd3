"""`cyclescope tokens MODEL`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import given_texts, require_places
from cyclescope.cli.options import (
    DeviceOption,
    ModelArgument,
    TextFile,
    ThreadsOption,
    TrustRemoteCode,
    budget_option,
    optional,
)
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import N_, m

if TYPE_CHECKING:
    from cyclescope.report.page import Page


def tokens(
    model: ModelArgument,
    *,
    text: Annotated[
        list[str] | None,
        optional(N_("Input text; repeat to compare, at best the same content in several languages"), "--text", "-t"),
    ] = None,
    text_file: TextFile = None,
    cycle: Annotated[bool, typer.Option("--cycle", help=N_("Measure the whole cycle of each text as well"))] = False,
    budget: Annotated[
        float | None, budget_option(N_("Measuring time after loading (default: 2s, 16s with --cycle)"))
    ] = None,
    threads: ThreadsOption = None,
    device: DeviceOption = "cpu",
    trust_remote_code: TrustRemoteCode = False,
    forms: Forms,
) -> None:
    """Compare what texts cost a model."""
    given = given_texts(text, text_file)
    require_places(forms.files, (text_file,))
    from cyclescope.backends.base import Request
    from cyclescope.cli.progress import progress
    from cyclescope.explaining.languages import explain_texts
    from cyclescope.measuring.tokenizing import compare_request, parallel_sentences

    texts = given or tuple(parallel_sentences().values())
    labels = ("",) * len(given) if given else tuple(parallel_sentences())
    request = Request(model=model, texts=texts, device=device, threads=threads, trust_remote_code=trust_remote_code)
    with progress(forms.language) as notify:
        costs = explain_texts(compare_request(request, labels, cycle, budget, notify))

    def page() -> Page:
        from cyclescope.report.pages.tokens import tokens_page

        return tokens_page(costs)

    def document() -> str:
        from cyclescope.report.documents.figures import dump
        from cyclescope.report.documents.tokens import tokens_document

        return dump(tokens_document(costs))

    deliver(Result(page, document), forms)
    if costs.partial:
        raise Interrupted(m("Interrupted."), m("The report shows what was measured before."))
