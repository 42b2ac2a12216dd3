"""The page about a recipe that was applied: whether the code does what was measured, where it is, how it is run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from cyclescope.core.message import Text, m
from cyclescope.optimizing.recipes.apply import CODE_FILE, Applied
from cyclescope.report import format as fmt
from cyclescope.report.naming.outputs import drift_words
from cyclescope.report.naming.plans import plan_words
from cyclescope.report.page import Block, Code, KeyValues, Note, Page, Paragraph, Section, Severity

RUN_IT_HERE = m(
    "The code loads the model from the hub by its name. Without a network connection, run it with the copy on this machine:"
)


def applied_page(done: Applied) -> Page:
    """What `done` says."""
    usage = Section("usage", m("Usage"), tuple(_usage(done)))
    return Page(
        m("{model}, applied", model=done.recipe.model.reference), tuple(_opening(done)), (usage,), kind="applied"
    )


def answer(done: Applied) -> Text:
    """The one sentence that the page exists for."""
    outputs = drift_words(done.drift)
    if done.agrees:
        return m("The code computes the same as the measured plan. Outputs: {outputs}.", outputs=outputs)
    return m("The code computes other outputs than the measured plan: {outputs}.", outputs=outputs)


def _opening(done: Applied) -> Iterator[Block]:
    yield Paragraph(answer(done), lead=True)
    if not done.agrees:
        yield Note(Severity.WARNING, m("Do not use the code. The files are kept for inspection."))
    if done.random_weights:
        yield Note(
            Severity.INFO,
            m("The code builds the model with random weights, as it was measured. --model sets other weights."),
        )
    for note in done.notes:
        yield Note(Severity.INFO, note)
    yield KeyValues(
        (
            (m("Plan"), plan_words(done.recipe.plan, done.recipe.baseline)),
            (m("Folder"), done.folder),
            (m("Files"), ", ".join(done.files)),
            (m("Compared texts"), fmt.count(done.texts)),
        )
    )


def _usage(done: Applied) -> Iterator[Block]:
    yield Code((f'python {done.folder}/{CODE_FILE} "…"',))
    if done.model_here:
        yield Paragraph(RUN_IT_HERE)
        yield Code((f'python {done.folder}/{CODE_FILE} --model {shlex.quote(done.model_here)} "…"',))
