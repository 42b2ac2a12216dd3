"""`cyclescope compare A B`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cyclescope.cli.defects import forget_output
from cyclescope.cli.forms import Language
from cyclescope.cli.gate import EXCEEDED, KEPT, UNKNOWN
from cyclescope.cli.measure import require_different, require_folder
from cyclescope.cli.options import (
    AsJson,
    Attention,
    AttentionOption,
    BatchedTexts,
    BatchOption,
    CacheOption,
    DeviceOption,
    DtypeOption,
    HtmlFile,
    KvCache,
    LanguageOption,
    MarkdownFile,
    NewTokensOption,
    Sampling,
    SamplingOption,
    SeedOption,
    TaskOption,
    TokensOption,
    TrustRemoteCode,
    WeightsOption,
    WeightsWanted,
    budget_option,
)
from cyclescope.core.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from cyclescope.backends.base import Request
    from cyclescope.core.cycle import Cycle
    from cyclescope.explaining.comparison import Comparison

_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")
# What may be another on one side, by the name of its option.
_NUMBERS = {"tokens", "batch", "threads", "new-tokens", "seed"}
_WORDS = {"dtype", "device", "task"}
_CHOICES = {"weights": WeightsWanted, "attention": Attention, "sampling": Sampling, "cache": KvCache}
_TEXTS = {"text": "texts", "question": "questions", "context": "contexts"}


def compare(
    a: Annotated[str, typer.Argument(help="A saved run (.cycle) or a model, as for `measure`.", metavar="A")],
    b: Annotated[str, typer.Argument(help="What it is compared with; it may be the same.", metavar="B")],
    only_a: Annotated[
        list[str] | None,
        typer.Option("--a", help="For A only: key=value, such as threads=1; several times.", show_default=False),
    ] = None,
    only_b: Annotated[list[str] | None, typer.Option("--b", help="For B only, likewise.", show_default=False)] = None,
    fail_if_slower: Annotated[
        str | None,
        typer.Option(
            help="Exit 1 if B is slower than A by more than this (5%), 2 if that is unknown, else 0.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(help="Smaller differences are none (2%). Else 1% or the machine's noise.", show_default=False),
    ] = None,
    between_runs: Annotated[
        str | None,
        typer.Option(help="How far two runs differ here by themselves, where one is a file (25%).", show_default=False),
    ] = None,
    text: BatchedTexts = None,
    tokens: TokensOption = None,
    batch: BatchOption = None,
    threads: Annotated[int | None, typer.Option(help="Threads inside an operation.", show_default=False)] = None,
    dtype: DtypeOption = "float32",
    attention: AttentionOption = None,
    device: DeviceOption = "cpu",
    weights: WeightsOption = WeightsWanted.AUTO,
    task: TaskOption = "auto",
    question: Annotated[
        list[str] | None, typer.Option(help="With --task answer: what is asked.", show_default=False)
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="With --task answer: where the answer stands.", show_default=False)
    ] = None,
    new_tokens: NewTokensOption = None,
    sampling: SamplingOption = Sampling.GREEDY,
    cache: CacheOption = KvCache.DYNAMIC,
    budget: Annotated[
        float | None,
        budget_option("How long to measure, both together: 20s, or 60s where text is written."),
    ] = None,
    seed: SeedOption = 0,
    trust_remote_code: TrustRemoteCode = False,
    out_a: Annotated[
        Path | None, typer.Option(help="Save the run of A, if it is measured now.", show_default=False)
    ] = None,
    out_b: Annotated[
        Path | None, typer.Option(help="Save the run of B, if it is measured now.", show_default=False)
    ] = None,
    markdown: MarkdownFile = None,
    html: HtmlFile = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Is B faster or slower than A, by how much, and where? Faster, slower or inconclusive.

    Two models, or one model in two ways (--a threads=1 --b threads=2), are measured in turns, which is safe against
    drift of the machine. A saved run was measured before; then the interval is wider, and the report says so.
    """
    limit = None if fail_if_slower is None else percent("--fail-if-slower", fail_if_slower)
    least = None if threshold is None else percent("--threshold", threshold)
    between = None if between_runs is None else percent("--between-runs", between_runs)
    files = (out_a, out_b, markdown, html)
    for side in (a, b):  # which may be the same
        require_different(*files, Path(side) if _is_run(side) else None)
    for path in files:
        if path is not None:
            require_folder(path)
    from cyclescope.backends.base import Request

    common = Request(
        model="",
        texts=tuple(text or ()),
        tokens=tokens,
        batch=batch,
        task=task,
        weights=weights.value,
        device=device,
        threads=threads,
        dtype=dtype,
        attention=attention.value if attention else None,
        seed=seed,
        trust_remote_code=trust_remote_code,
        new_tokens=new_tokens,
        sampling=sampling.value,
        cache=cache.value,
        questions=tuple(question or ()),
        contexts=tuple(context or ()),
    )
    cycles = _cycles((a, b), (_changes("--a", only_a), _changes("--b", only_b)), common, budget, (out_a, out_b))
    from cyclescope.explaining.comparison import compare as compared

    comparison = compared(*cycles, least, between_runs=between)
    try:
        _tell(comparison, limit, as_json, lang)
    except BrokenPipeError:
        forget_output()  # whoever read has seen enough; files and the exit code are still wanted
    _save(cycles, (out_a, out_b))
    _write(comparison, limit, markdown, html, lang)
    if any(cycle.partial for cycle in cycles) and not all(map(_is_run, (a, b))):
        raise Interrupted("Interrupted.", "What was measured until then is compared above.")
    if limit is not None:
        from cyclescope.explaining.comparison import Limit

        codes = {Limit.KEPT: KEPT, Limit.EXCEEDED: EXCEEDED, Limit.UNKNOWN: UNKNOWN}
        raise typer.Exit(codes[comparison.slower_by_more_than(limit)])


def percent(option: str, text: str) -> float:
    """A share written as `5%` or `0.05`. Raises `UsageError`, also for a bare number that could mean either."""
    found = _PERCENT.fullmatch(text)
    value = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not found or value >= (10 if found[2] else 1):
        raise UsageError(f"{option} {text} is no share.", "", "Write it as 5% or as 0.05.")
    return value


def _is_run(name: str) -> bool:
    return name.endswith(".cycle")


def _changes(option: str, pairs: Sequence[str] | None) -> Mapping[str, Any]:
    """What is another on one side, as fields of a request. Raises `UsageError`."""
    known = sorted({*_NUMBERS, *_WORDS, *_CHOICES, *_TEXTS})
    changes: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        key = key.strip().replace("_", "-")
        if not sign or key not in known:
            raise UsageError(
                f"{option} {pair} is not understood.", f"Keys are {', '.join(known)}.", f"Write {option} threads=2."
            )
        if key in _TEXTS:
            changes[_TEXTS[key]] = (*changes.get(_TEXTS[key], ()), value)
        elif key in _NUMBERS and not value.strip().isdecimal():
            raise UsageError(f"{option} {pair} needs a whole number.", "", f"Write {option} {key}=2.")
        elif key in _CHOICES and value not in list(_CHOICES[key]):
            raise UsageError(f"{option} {pair} is unknown.", "", f"Known are {', '.join(_CHOICES[key])}.")
        else:
            changes[key.replace("-", "_")] = int(value) if key in _NUMBERS else value
    return changes


def _cycles(
    names: tuple[str, str],
    changes: tuple[Mapping[str, Any], Mapping[str, Any]],
    common: Request,
    budget: float | None,
    outs: tuple[Path | None, Path | None],
) -> tuple[Cycle, Cycle]:
    """Both cycles: read where a file is named, else measured; in turns where both are."""
    from cyclescope.cli.progress import progress
    from cyclescope.measuring.measure import measure_request
    from cyclescope.measuring.pair import measure_requests
    from cyclescope.store.run_file import load

    for letter, name, mine, out in zip("ab", names, changes, outs, strict=True):
        if _is_run(name) and (mine or out):
            raise UsageError(
                f"{name} was measured before.",
                f"--{letter} and --out-{letter} are for a model that is measured now.",
                "Name a model instead of the file, or leave them out.",
            )
    if all(map(_is_run, names)):
        return load(names[0]), load(names[1])
    requests = [_request(common, name, mine) for name, mine in zip(names, changes, strict=True)]
    stored = [load(name) if _is_run(name) else None for name in names]  # before minutes are spent
    with progress() as notify:
        if not any(stored):
            return measure_requests(requests[0], requests[1], budget, notify)
        a, b = (
            found or measure_request(request, budget, notify) for found, request in zip(stored, requests, strict=True)
        )
        return a, b


def _request(common: Request, model: str, mine: Mapping[str, Any]) -> Request:
    """What is asked of one side; an input of its own stands instead of the common one."""
    if mine.keys() & {"texts", "tokens", "questions"}:
        common = replace(common, texts=(), tokens=None, questions=(), contexts=())
    return replace(common, model=model, **mine)


def _save(cycles: tuple[Cycle, Cycle], outs: tuple[Path | None, Path | None]) -> None:
    from cyclescope.store.run_file import save

    for cycle, out in zip(cycles, outs, strict=True):
        if out is not None:
            save(cycle, out)
            typer.echo(f"Saved the run: {out}", err=True)


def _tell(comparison: Comparison, limit: float | None, as_json: bool, lang: Language) -> None:
    if as_json:
        from cyclescope.report.documents.comparison import comparison_document
        from cyclescope.report.documents.figures import dump

        typer.echo(dump(comparison_document(comparison, limit)), nl=False)
        return
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.comparison import comparison_page

    print_page(comparison_page(comparison, lang.value, limit))


def _write(
    comparison: Comparison, limit: float | None, markdown: Path | None, html: Path | None, lang: Language
) -> None:
    from cyclescope.store.writing import write_text

    if markdown is not None:
        from cyclescope.report.media.markdown import to_markdown
        from cyclescope.report.pages.comparison import comparison_page

        page = to_markdown(comparison_page(comparison, lang.value, limit))
        if str(markdown) == os.environ.get("GITHUB_STEP_SUMMARY"):
            # The summary of a step is one file that everything in the step appends to.
            with markdown.open("a", encoding="utf-8") as summary:
                summary.write(page)
        else:
            write_text(markdown, page)
        typer.echo(f"Wrote Markdown: {markdown}", err=True)
    if html is not None:
        from cyclescope.report.media.html.comparison_view import render_comparison

        write_text(html, render_comparison(comparison, lang=lang.value, limit=limit))
        typer.echo(f"Wrote the page: {html}", err=True)
