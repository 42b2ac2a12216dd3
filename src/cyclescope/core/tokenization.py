"""What tokenizers made of texts: counts and samples of time. Facts only; `explaining.languages` draws conclusions.

No text is in here. Its beginning, for a reader who must know which is which, is all that is kept of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.cycle import Cycle
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.units import Bytes, IntArray


@dataclass(frozen=True, slots=True)
class TextFacts:
    """One text: its label (a language, or whatever its owner calls it; may be empty), beginning and size.

    `characters` are Unicode code points, not grapheme clusters: a letter with a combining mark counts as two.
    """

    label: str
    beginning: str
    characters: int
    utf8_bytes: Bytes


@dataclass(frozen=True, slots=True)
class TokenCount:
    """One text in tokens. `tokens` are those of the text; `special_tokens` were put around it ([CLS], <s>, …).

    `unknown_tokens` of the `tokens` stand for what is not in the vocabulary.
    """

    tokens: int
    special_tokens: int
    unknown_tokens: int


@dataclass(frozen=True, slots=True)
class TokenizerInfo:
    """Which tokenizer: `fast` ones are written in Rust, others in Python; a `stand_in` is ours, of the same kind and size."""

    name: str
    fast: bool
    stand_in: bool
    vocabulary: int


@dataclass(frozen=True, eq=False)
class TokenizerRun:
    """All texts through one tokenizer: a count and samples [n] in nanoseconds for each, and those of a one-letter text."""

    tokenizer: TokenizerInfo
    counts: tuple[TokenCount, ...]
    samples_ns: tuple[IntArray, ...]
    one_letter_ns: IntArray


@dataclass(frozen=True, eq=False)
class TextCosts:
    """Texts through the tokenizers of one model, the model's own first; with `cycles`, one for each text, if asked for.

    `longest` is the most tokens that the model takes, special ones included; None where there is no limit. `partial`:
    it was interrupted, and the last texts may have no cycle. `notes` are facts that every reader must know.
    `taken_at` is UTC in ISO 8601, `version` the cyclescope that took it.
    """

    model: str
    machine: Machine
    texts: tuple[TextFacts, ...]
    runs: tuple[TokenizerRun, ...]
    longest: int | None
    cycles: tuple[Cycle, ...] = ()
    partial: bool = False
    notes: tuple[Text, ...] = ()
    taken_at: str = ""
    version: str = ""
