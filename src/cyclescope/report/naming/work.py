"""What ran, on what input, how and on what machine: the facts that pages of cycles share, as label and value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.message import Message, Text, m
from cyclescope.core.workload import InputItem, InputSource, InputUnit, Workload
from cyclescope.report import format as fmt
from cyclescope.report.naming import run
from cyclescope.report.naming.advice import filled

_LENGTHS: Mapping[InputUnit, Message] = MappingProxyType(
    {
        InputUnit.TOKENS: m("{batch} × {tokens} tokens"),
        InputUnit.PATCHES: m("{batch} × {tokens} patches"),
        InputUnit.FRAMES: m("{batch} × {tokens} frames"),
        InputUnit.SAMPLES: m("{batch} × {tokens} samples"),
    }
)
_BATCHES: Mapping[InputItem, Message] = MappingProxyType(
    {
        InputItem.TEXTS: m("{batch} texts of unknown length"),
        InputItem.IMAGES: m("{batch} images of an unknown number of patches"),
        InputItem.RECORDINGS: m("{batch} recordings of an unknown number of frames"),
    }
)


def work_facts(cycle: Cycle) -> tuple[tuple[Text, Text], ...]:
    """Model, input, plan and machine of `cycle`."""
    work = cycle.workload
    return (
        run.model(work.model, weights=cycle.source is Source.MEASURED),
        given(work),
        run.plan(cycle.plan),
        run.machine(cycle.machine),
    )


def given(work: Workload) -> tuple[Text, Text]:
    """The input."""
    if work.input_source is InputSource.TEXT:
        size: Text = m(
            "{batch} × {tokens} tokens from {characters} characters",
            batch=work.batch,
            tokens=work.tokens_in,
            characters=fmt.count(work.characters),
        )
    elif work.input_source is InputSource.SYNTHETIC and work.unit is InputUnit.TOKENS:
        size = m("{batch} × {tokens} tokens, synthetic", batch=work.batch, tokens=work.tokens_in)
    elif work.input_source is InputSource.RECORDED:
        known = filled(_LENGTHS[InputUnit.TOKENS], batch=work.batch, tokens=work.tokens_in)
        size = known if work.batch else m("unknown")
    else:
        size = _tensors(work)
    if work.padding > 0 and work.tokens_in:
        size = m("{input}, {share} padding", input=size, share=fmt.share(work.padding))
    return m("input"), size


def _tensors(work: Workload) -> Text:
    """Tensors that were given: what they are as far as known, and their shapes where they are no tokens."""
    if work.items is None:
        return m("{shape} (batch size and length unknown)", shape=work.shape or m("no tensor"))
    known = _LENGTHS[work.unit] if work.tokens_in else _BATCHES[work.items]
    size = filled(known, batch=work.batch, tokens=work.tokens_in)
    return m("{input}: {shape}", input=size, shape=work.shape) if work.shape else size
