"""What the user of a task asks for: texts (or images, …) a second and what padding costs; how a time divides on encoder and decoder."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.statistics import Estimate, Ratio
from cyclescope.core.units import NS_PER_S
from cyclescope.core.workload import InputItem
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.generation import Phase


@dataclass(frozen=True, slots=True)
class Throughput:
    """A cycle that writes nothing, by the text, or by what else it reads: `items` says what.

    `per_text` is the wall time ÷ `texts`, `per_second` its inverse.

    `padding_share` is the share of the tokens that only fill the batch up. `padding_ns` is what they cost in a cycle,
    `padding_of_cycle` that as a share of the attributed time (`findings.padding.padding_cost`); None where that was not
    measured, or nothing is done for it. It is an estimate: work between pairs of tokens (attention) loses more without
    padding.
    """

    texts: int
    per_text: Estimate
    per_second: Ratio
    padding_share: float
    padding_ns: float | None
    padding_of_cycle: float | None
    items: InputItem = InputItem.TEXTS


@dataclass(frozen=True, slots=True)
class Division:
    """How a generation divides: the encoder runs once, the decoder once for each of `tokens`.

    Times are typical ones of the instrumented cycles, shares are of the whole cycle; what is missing to 1 is neither.
    """

    tokens: int
    encoder: Estimate
    encoder_share: float
    decoder_ns: float
    decoder_share: float
    per_token_ns: float


def throughput(explanation: Explanation) -> Throughput | None:
    """`explanation` by the text; None for a cycle that writes, whose time its metrics give, for an untimed cycle, and
    where it is unknown how many units it reads.
    """
    wall, work = explanation.wall, explanation.cycle.workload
    if explanation.generation is not None or not wall.n or not wall.low_ns > 0 or work.items is None:
        return None
    padding = explanation.padding
    per_text = Estimate(wall.value_ns / work.batch, wall.low_ns / work.batch, wall.high_ns / work.batch, wall.n)
    return Throughput(
        texts=work.batch,
        per_text=per_text,
        per_second=Ratio(NS_PER_S / per_text.value_ns, NS_PER_S / per_text.high_ns, NS_PER_S / per_text.low_ns, wall.n),
        padding_share=work.padding,
        padding_ns=padding.ns if padding else None,
        padding_of_cycle=padding.share if padding else None,
        items=work.items,
    )


def division(explanation: Explanation) -> Division | None:
    """How the time divides on encoder and decoder; None where there is no encoder, or nothing was written."""
    generation = explanation.generation
    phases = {row.phase: row for row in generation.phases} if generation else {}
    if generation is None or Phase.ENCODE not in phases:
        return None
    decoder = [phases[phase] for phase in (Phase.PREFILL, Phase.DECODE) if phase in phases]
    decoder_ns = sum(row.time.value_ns for row in decoder)
    return Division(
        tokens=generation.tokens,
        encoder=phases[Phase.ENCODE].time,
        encoder_share=phases[Phase.ENCODE].share,
        decoder_ns=decoder_ns,
        decoder_share=sum(row.share for row in decoder),
        per_token_ns=decoder_ns / generation.tokens,
    )
