"""`cyclescope measure MODEL`."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.forms import Form, Language, print_told, told
from cyclescope.cli.options import (
    DEFAULT_ENGINE,
    AsJson,
    AttentionOption,
    BatchedTexts,
    BatchOption,
    CacheOption,
    DeviceOption,
    DtypeOption,
    EngineOption,
    HtmlFile,
    KvCache,
    LanguageOption,
    Sampling,
    SamplingOption,
    SeedOption,
    TextFileOrInput,
    ThreadsOption,
    TokensOption,
    TrustRemoteCode,
    WeightsWanted,
    budget_option,
)
from cyclescope.core.errors import Interrupted, OutputError, UsageError

if TYPE_CHECKING:
    from cyclescope.backends.base import Request


class Task(StrEnum):
    """What the model is asked for."""

    AUTO = "auto"
    EMBED = "embed"
    CLASSIFY = "classify"
    FILL = "fill"
    ANSWER = "answer"
    TRANSLATE = "translate"
    GENERATE = "generate"
    CHAT = "chat"


class ChatTemplate(StrEnum):
    """In whose words a dialogue is put to the model."""

    OWN = "own"
    PLAIN = "plain"


def measure(
    model: Annotated[str, typer.Argument(help="A folder, a config.json, a built-in architecture or a hub name.")],
    text: BatchedTexts = None,
    text_file: TextFileOrInput = None,
    tokens: TokensOption = None,
    batch: BatchOption = None,
    threads: ThreadsOption = None,
    dtype: DtypeOption = "float32",
    attention: AttentionOption = None,
    engine: EngineOption = DEFAULT_ENGINE,
    export_to: Annotated[
        Path | None, typer.Option(help="Keep the files of an engine that exports, in this folder.", show_default=False)
    ] = None,
    device: DeviceOption = "cpu",
    weights: Annotated[
        WeightsWanted, typer.Option(help="auto: trained ones if there are any, else random.")
    ] = WeightsWanted.AUTO,
    task: Annotated[
        Task,
        typer.Option(
            help="embed: vectors; classify: labels; fill: masked words; answer: a question from its context; "
            "translate, generate: text; chat: the turns of a dialogue, one --text each; auto: as configured."
        ),
    ] = Task.AUTO,
    chat_template: Annotated[
        ChatTemplate, typer.Option(help="With --task chat: the tokenizer's own, or plain: User: …, Assistant: …")
    ] = ChatTemplate.OWN,
    question: Annotated[
        list[str] | None,
        typer.Option(help="With --task answer: what is asked; several make a batch.", show_default=False),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(help="With --task answer: where the answer stands, one for each question.", show_default=False),
    ] = None,
    new_tokens: Annotated[
        int | None,
        typer.Option(
            help="Write this many tokens: a whole generation is the cycle. 32 in a task that writes.",
            show_default=False,
        ),
    ] = None,
    sampling: SamplingOption = Sampling.GREEDY,
    cache: CacheOption = KvCache.DYNAMIC,
    budget: Annotated[
        float | None,
        budget_option("How long to measure, after loading: 10s, or 30s where text is written."),
    ] = None,
    seed: SeedOption = 0,
    keep_text: Annotated[bool, typer.Option("--keep-text", help="Store the texts in the run file.")] = False,
    trust_remote_code: TrustRemoteCode = False,
    out: Annotated[Path | None, typer.Option(help="Save the run to this file (.cycle).", show_default=False)] = None,
    html: HtmlFile = None,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Measure the compute cycle of a model, text in to text out, and close its account.

    Without a text and without --tokens, a sentence of ours is measured. Ctrl-C ends the measurement; what was measured
    until then is reported and saved, marked partial.
    """
    from cyclescope.backends.base import Request
    from cyclescope.backends.request_checks import check
    from cyclescope.cli.progress import progress

    if text and text_file is not None:
        raise UsageError("Both --text and --text-file were given.", "", "Give one of them.")
    request = Request(
        model=model,
        texts=tuple(text or (read_texts(text_file) if text_file is not None else ())),
        tokens=tokens,
        batch=batch,
        task=task.value,
        weights=weights.value,
        device=device,
        threads=threads,
        dtype=dtype,
        attention=attention.value if attention else None,
        engine=engine.value,
        export_to=str(export_to) if export_to is not None else None,
        seed=seed,
        keep_text=keep_text,
        trust_remote_code=trust_remote_code,
        new_tokens=new_tokens,
        sampling=sampling.value,
        cache=cache.value,
        questions=tuple(question or ()),
        contexts=tuple(context or ()),
    )
    if task is Task.CHAT:
        _hold_dialogue(request, chat_template, budget, (out, html), Form.JSON if as_json else Form.TERMINAL, lang)
        return
    if chat_template is not ChatTemplate.OWN:
        raise UsageError(f"The task {task.value!r} has no turns.", "", "Leave --chat-template out, or use --task chat.")
    check(request)
    require_different(out, html)
    for path in (out, html):
        if path is not None:
            require_folder(path)
    from cyclescope.measuring.measure import measure_request

    with progress() as notify:
        cycle = measure_request(request, budget, notify)
    deliver(cycle, out, html, Form.JSON if as_json else Form.TERMINAL, lang)


def _hold_dialogue(
    request: Request,
    template: ChatTemplate,
    budget: float | None,
    files: tuple[Path | None, ...],
    form: Form,
    lang: Language,
) -> None:
    """Measure a dialogue instead of a cycle, and print it."""
    from cyclescope.cli.progress import progress
    from cyclescope.explaining.dialogue import explain_dialogue
    from cyclescope.measuring.dialogue import dialogue_request
    from cyclescope.report.documents.dialogue import dialogue_document
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.dialogue import dialogue_page

    if any(file is not None for file in files):
        raise UsageError(
            "A dialogue cannot be saved as a run or a page.",
            "It is a comparison of turns and not one cycle.",
            "Leave --out and --html out; --json prints all of it.",
        )
    with progress() as notify:
        costs = explain_dialogue(dialogue_request(request, template.value, budget, notify))
    if form is Form.JSON:
        typer.echo(dump(dialogue_document(costs)), nl=False)
    else:
        print_page(dialogue_page(costs), language=lang.value)
    if costs.dialogue.partial:
        raise Interrupted("Interrupted.", "What was measured until then is shown above.")


def deliver(cycle: object, out: Path | None, html: Path | None, form: Form, lang: Language) -> None:
    """Report a fresh cycle first and write files then: what cannot be written must not cost what was measured.

    A partial cycle is saved even where no file was named. Raises `Interrupted` for one, `OutputError` for a file that
    could not be written and `OSError` where the report could not be printed, after everything else was done.
    """
    from cyclescope.core.cycle import Cycle
    from cyclescope.explaining.explain import explain
    from cyclescope.store.run_file import save
    from cyclescope.store.writing import write_text

    assert isinstance(cycle, Cycle)
    explanation = explain(cycle)
    failed: list[OSError | OutputError] = []
    try:
        print_told(explanation, form, lang)
    except OSError as error:
        failed.append(error)
    if cycle.partial and out is None:
        out = _unused("cyclescope-partial", ".cycle")
    if out is not None:
        try:
            save(cycle, out)
            typer.echo(f"Saved the run: {out}", err=True)
        except OutputError as error:
            failed.append(error)
    if html is not None:
        try:
            write_text(html, told(explanation, Form.HTML, lang))
            typer.echo(f"Wrote the page: {html}", err=True)
        except OutputError as error:
            failed.append(error)
    if failed:
        raise failed[0]
    if cycle.partial:
        raise Interrupted("Interrupted.", f"What was measured until then is saved, marked partial: {out}")


def read_texts(name: str) -> list[str]:
    """The lines of a file that are not empty, each one text."""
    try:
        content = (sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        which = "Standard input" if name == "-" else name
        raise UsageError(
            f"{which} is not UTF-8 text.", f"{exc.reason} at byte {exc.start}.", "Save it as UTF-8."
        ) from exc
    except OSError as exc:
        raise UsageError(f"{name} cannot be read.", f"{exc.strerror}.", "Name a text file, one text a line.") from exc
    texts = [line for line in content.splitlines() if line.strip()]
    if not texts:
        raise UsageError(f"{name} has no text in it.", "Every line is empty.", "Put one text on each line.")
    return texts


def require_different(*paths: Path | None) -> None:
    """Refuse two names of one file: what is written last would cost what was there before."""
    places = [path.expanduser().resolve() for path in paths if path is not None]
    twice = next((place for place in places if places.count(place) > 1 and not place.is_char_device()), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice.", "One of its contents would be lost.", "Name different files.")


def require_folder(path: Path) -> None:
    """Refuse before minutes are spent a file that could not be written afterwards."""
    folder = path.expanduser().resolve().parent
    if not folder.is_dir():
        raise OutputError(f"Cannot write {path}.", f"There is no folder {folder}.", "Make the folder, or name another.")
    if path.is_dir():
        raise OutputError(f"Cannot write {path}.", "It is a folder.", "Name a file.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(f"Cannot write {path}.", "Permission denied.", "Name a place where you may write.")


def _unused(stem: str, suffix: str) -> Path:
    number = 1
    path = Path(f"{stem}{suffix}")
    while path.exists():
        number += 1
        path = Path(f"{stem}-{number}{suffix}")
    return path
