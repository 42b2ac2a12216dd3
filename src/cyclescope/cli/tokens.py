"""`cyclescope tokens MODEL`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cyclescope.cli.forms import Language
from cyclescope.cli.measure import read_texts
from cyclescope.cli.options import (
    AsJson,
    LanguageOption,
    TextFileOrInput,
    ThreadsOption,
    TrustRemoteCode,
    budget_option,
)
from cyclescope.core.errors import Interrupted, UsageError


def tokens(
    model: Annotated[str, typer.Argument(help="A folder, a config.json, a built-in architecture or a hub name.")],
    text: Annotated[
        list[str] | None,
        typer.Option(
            "--text",
            "-t",
            help="A text; best the same content in several languages, one --text each.",
            show_default=False,
        ),
    ] = None,
    text_file: TextFileOrInput = None,
    cycle: Annotated[bool, typer.Option("--cycle", help="Measure the whole cycle of each text too.")] = False,
    budget: Annotated[
        float | None,
        budget_option("How long to look, after loading; else 2s, and 16s with --cycle."),
    ] = None,
    threads: ThreadsOption = None,
    device: Annotated[str, typer.Option(help="Of the cycles: cpu, cuda or cuda:N.")] = "cpu",
    trust_remote_code: TrustRemoteCode = False,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Compare what texts cost a model: tokens per character, time to tokenize, and with --cycle all of it.

    Without a text, one sentence of ours is compared in eight languages. No weights are loaded unless --cycle is given.
    """
    from cyclescope.backends.base import Request
    from cyclescope.cli.progress import progress
    from cyclescope.explaining.languages import explain_texts
    from cyclescope.measuring.tokenizing import compare_request, parallel_sentences
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.documents.tokens import tokens_document
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.tokens import tokens_page

    if text and text_file is not None:
        raise UsageError("Both --text and --text-file were given.", "", "Give one of them.")
    given = tuple(text or (read_texts(text_file) if text_file is not None else ()))
    texts = given or tuple(parallel_sentences().values())
    labels = ("",) * len(given) if given else tuple(parallel_sentences())
    request = Request(model=model, texts=texts, device=device, threads=threads, trust_remote_code=trust_remote_code)
    with progress() as notify:
        costs = explain_texts(compare_request(request, labels, cycle, budget, notify))
    if as_json:
        # Bytes, so that a console of another encoding cannot break a JSON document in the middle.
        sys.stdout.flush()
        sys.stdout.buffer.write(dump(tokens_document(costs)).encode("utf-8"))
        sys.stdout.buffer.flush()
    else:
        print_page(tokens_page(costs), language=lang.value)
    if costs.partial:
        raise Interrupted("Interrupted.", "What was measured until then is shown above.")
