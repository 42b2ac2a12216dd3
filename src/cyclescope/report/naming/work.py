"""What ran, on what input, how and on what machine: the facts that pages of cycles share, as label and value."""

from __future__ import annotations

from cyclescope.core.cycle import Cycle
from cyclescope.core.message import Text, m
from cyclescope.core.workload import InputSource, Workload
from cyclescope.report import format as fmt
from cyclescope.report.naming import run


def work_facts(cycle: Cycle) -> tuple[tuple[Text, Text], ...]:
    """Model, input, plan and machine of `cycle`."""
    work = cycle.workload
    return run.model(work.model), given(work), run.plan(cycle.plan), run.machine(cycle.machine)


def given(work: Workload) -> tuple[Text, Text]:
    """The input."""
    tokens: Text
    if work.input_source is InputSource.TEXT:
        tokens = m(
            "{batch} × {tokens} tokens from {characters} characters",
            batch=work.batch,
            tokens=work.tokens_in,
            characters=fmt.count(work.characters),
        )
    else:
        tokens = m("{batch} × {tokens} tokens, synthetic", batch=work.batch, tokens=work.tokens_in)
    padded = work.batch * work.tokens_in
    if work.real_tokens < padded:
        tokens = m("{input}, {share} padding", input=tokens, share=fmt.share(1 - work.real_tokens / padded))
    return m("input"), tokens
