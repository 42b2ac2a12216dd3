"""The page about a recipe that was applied: whether the code does what was measured, where it is, how it is run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from cyclescope.optimizing.recipes.apply import CODE_FILE, Applied
from cyclescope.report import format as fmt
from cyclescope.report.page import Block, Code, KeyValues, Note, Page, Paragraph, Severity, page_of
from cyclescope.report.pages.optimization import drift_words, plan_words
from cyclescope.report.words.strings import strings
from cyclescope.report.words.text_notes import told
from cyclescope.report.words.text_optimization import optimization_text
from cyclescope.report.words.text_verification import VerificationText, verification_text


def applied_page(done: Applied, language: str = "en") -> Page:
    """What `done` says, for any medium. Raises `UsageError` for a language that there are no texts of."""
    t = verification_text(language)
    return page_of(t.applied_title.format(model=done.recipe.model.reference), tuple(_blocks(done, t, language)))


def answer(done: Applied, t: VerificationText) -> str:
    """The one sentence that the page exists for."""
    outputs = drift_words(done.drift, optimization_text(t.language))
    return (t.agrees if done.agrees else t.disagrees).format(outputs=outputs)


def _blocks(done: Applied, t: VerificationText, language: str) -> Iterator[Block]:
    o = optimization_text(language)
    yield Paragraph(answer(done, t), lead=True)
    if not done.agrees:
        yield Note(Severity.WARNING, t.disagrees_remedy)
    if done.random_weights:
        yield Note(Severity.INFO, t.random_code)
    for note in done.notes:
        yield Note(Severity.INFO, told(note, strings(t.language)))
    yield KeyValues(
        (
            (t.plan, plan_words(done.recipe.plan, done.recipe.baseline, o)),
            (t.folder, done.folder),
            (t.files, ", ".join(done.files)),
            (t.texts, fmt.count(done.texts)),
        )
    )
    yield Paragraph(t.run_it)
    yield Code((f'python {done.folder}/{CODE_FILE} "…"',))
    if done.model_here:
        yield Paragraph(t.run_it_here)
        yield Code((f'python {done.folder}/{CODE_FILE} --model {shlex.quote(done.model_here)} "…"',))
