"""What texts cost: tokens and time for each character, and how that differs from one language to the next."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.structure import TOKENIZE
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.statistics import Estimate, Ratio, median_estimate, median_ratio
from cyclescope.core.tokenization import TextCosts, TextFacts, TokenCount, TokenizerInfo
from cyclescope.core.units import IntArray
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import MeasurementWarning

# From this share of unknown tokens on, a low count says that the text was not read, and not that it is cheap.
UNREADABLE = 0.1
# The language to compare with where texts are labelled with languages: most vocabularies were made for it.
_REFERENCE_LABEL = "en"


@dataclass(frozen=True, slots=True)
class TokenizerCost:
    """One text through one tokenizer. Special tokens are in no ratio. None where it would divide by zero.

    `token_ratio` and `time_ratio` are against the reference text: for texts of the same content, the first is what
    Petrov et al. (2023, arXiv:2305.15425) call the tokenization premium. `to_own` is the time against the model's own tokenizer.
    """

    count: TokenCount
    tokens_per_character: float
    characters_per_token: float | None
    unknown_share: float | None
    token_ratio: float | None
    time: Estimate
    time_per_character_ns: float
    time_ratio: Ratio
    to_own: Ratio

    @property
    def readable(self) -> bool:
        """Whether the vocabulary covers the text well enough for its count to mean anything."""
        return (self.unknown_share or 0.0) <= UNREADABLE


@dataclass(frozen=True, slots=True)
class CycleCost:
    """The whole cycle of one text. `tokenize_share` is None without instrumented runs, `ratio` against the reference text.

    `warnings` are reasons to trust it less.
    """

    wall: Estimate
    time_per_character_ns: float
    tokenize_share: float | None
    ratio: Ratio | None
    cut_tokens: int
    warnings: tuple[MeasurementWarning, ...]


@dataclass(frozen=True, slots=True)
class TextCost:
    """One text: its cost by tokenizer, the model's own first, and that of its cycle if it was measured.

    `fitting_characters`: how much text like this one the model can take; None without a limit. `too_long`: this does not fit.
    """

    text: TextFacts
    by_tokenizer: tuple[TokenizerCost, ...]
    cycle: CycleCost | None
    fitting_characters: int | None
    too_long: bool


@dataclass(frozen=True, slots=True)
class LanguageCosts:
    """What is concluded from `TextCosts`.

    `reference` is the place of the text that ratios are against: the English one where texts are labelled with languages,
    else the one with the fewest tokens among those that can be read. `one_letter`, by tokenizer, is what a call costs
    whatever the text. `disagreements` is the number of texts that the tokenizers count differently.
    """

    model: str
    machine: Machine
    tokenizers: tuple[TokenizerInfo, ...]
    texts: tuple[TextCost, ...]
    reference: int
    one_letter: tuple[Estimate, ...]
    longest: int | None
    disagreements: int
    partial: bool
    notes: tuple[Text, ...]
    taken_at: str
    version: str


def explain_texts(costs: TextCosts) -> LanguageCosts:
    """Counts, times and ratios of every text. Pure: equal costs give equal answers."""
    reference = _reference(costs)
    return LanguageCosts(
        model=costs.model,
        machine=costs.machine,
        tokenizers=tuple(run.tokenizer for run in costs.runs),
        texts=tuple(_text_cost(costs, place, reference) for place in range(len(costs.texts))),
        reference=reference,
        one_letter=tuple(median_estimate(run.one_letter_ns) for run in costs.runs),
        longest=costs.longest,
        disagreements=sum(len(set(counts)) > 1 for counts in zip(*(run.counts for run in costs.runs), strict=True)),
        partial=costs.partial,
        notes=costs.notes,
        taken_at=costs.taken_at,
        version=costs.version,
    )


def _reference(costs: TextCosts) -> int:
    labels = [text.label for text in costs.texts]
    if _REFERENCE_LABEL in labels:
        return labels.index(_REFERENCE_LABEL)
    counts = costs.runs[0].counts

    def preference(place: int) -> tuple[bool, int]:
        count = counts[place]
        return count.tokens == 0 or count.unknown_tokens > UNREADABLE * count.tokens, count.tokens

    return min(range(len(counts)), key=preference)


def _text_cost(costs: TextCosts, place: int, reference: int) -> TextCost:
    text = costs.texts[place]
    own = costs.runs[0]
    count = own.counts[place]
    fitting = None
    if costs.longest is not None and count.tokens:
        fitting = max(0, costs.longest - count.special_tokens) * text.characters // count.tokens
    return TextCost(
        text=text,
        by_tokenizer=tuple(
            _tokenizer_cost(
                text,
                run.counts[place],
                run.counts[reference],
                run.samples_ns[place],
                run.samples_ns[reference],
                own.samples_ns[place],
            )
            for run in costs.runs
        ),
        cycle=_cycle_cost(costs.cycles, place, reference, text) if place < len(costs.cycles) else None,
        fitting_characters=fitting,
        too_long=costs.longest is not None and count.tokens + count.special_tokens > costs.longest,
    )


def _tokenizer_cost(
    text: TextFacts,
    count: TokenCount,
    reference: TokenCount,
    samples_ns: IntArray,
    reference_ns: IntArray,
    own_ns: IntArray,
) -> TokenizerCost:
    time = median_estimate(samples_ns)
    return TokenizerCost(
        count=count,
        tokens_per_character=count.tokens / text.characters,
        characters_per_token=text.characters / count.tokens if count.tokens else None,
        unknown_share=count.unknown_tokens / count.tokens if count.tokens else None,
        token_ratio=count.tokens / reference.tokens if reference.tokens else None,
        time=time,
        time_per_character_ns=time.value_ns / text.characters,
        time_ratio=_ratio(samples_ns, reference_ns),
        to_own=_ratio(samples_ns, own_ns),
    )


def _cycle_cost(cycles: tuple[Cycle, ...], place: int, reference: int, text: TextFacts) -> CycleCost | None:
    explanation = explain(cycles[place])
    wall = explanation.wall
    if wall.n == 0:
        return None
    walls = [cycle.samples.uninstrumented.wall_ns for cycle in cycles]
    comparable = reference < len(walls) and len(walls[reference]) > 0
    return CycleCost(
        wall=wall,
        time_per_character_ns=wall.value_ns / text.characters,
        tokenize_share=next((stage.share for stage in explanation.stages if stage.name == TOKENIZE), None),
        ratio=_ratio(walls[place], walls[reference]) if comparable else None,
        cut_tokens=cycles[place].workload.cut_tokens,
        warnings=explanation.warnings,
    )


def _ratio(samples_ns: IntArray, reference_ns: IntArray) -> Ratio:
    """Ratio of the medians; exactly one for samples against themselves, whatever their spread."""
    if samples_ns is reference_ns:
        return Ratio(1.0, 1.0, 1.0, len(samples_ns))
    return median_ratio(samples_ns, reference_ns)
