"""What the same content costs in several languages: texts through the tokenizers of a model, in turn."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import numpy as np

from cyclescope.backends.base import Request, TextTokenizer
from cyclescope.backends.registry import keeping, open_tokenizers
from cyclescope.backends.request_checks import check
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.progress import Notify, silent
from cyclescope.core.statistics import median_estimate
from cyclescope.core.tokenization import TextCosts, TextFacts, TokenizerRun
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.version import __version__
from cyclescope.measuring.measure import measure_request
from cyclescope.measuring.sampling import NARROW, is_steady

DEFAULT_BUDGET_S = 2.0
DEFAULT_CYCLE_BUDGET_S = 16.0
_TOKENIZING_SHARE = 0.2  # of the budget where whole cycles are measured too: those take longer and vary more
# What a call costs before there is any text to speak of: the time of a text of one letter.
ONE_LETTER = "a"
_BEGINNING = 40  # code points of a text that are kept, to tell which is which
_MOST_WARM_UP = 0.2  # share of the budget, over all texts and tokenizers
_WARM_BLOCK = 5
_VISIT_CALLS = 5
_LONG_NS = (
    10_000_000  # a call that takes this long is warm before it ends, so a visit is one call and none is thrown away
)
_LEAST_SAMPLES = 20
_MOST_SAMPLES = 2000


@cache
def parallel_sentences() -> Mapping[str, str]:
    """One plain sentence in eight languages, by BCP 47 tag. Its source: `data/parallel_sentences.toml`."""
    return tomllib.loads((files(__package__) / "data" / "parallel_sentences.toml").read_text(encoding="utf-8"))


def compare_texts(
    model: str | object,
    texts: Sequence[str] | Mapping[str, str] | None = None,
    *,
    tokenizer: object | None = None,
    cycle: bool = False,
    budget: float | None = None,
    device: str = "cpu",
    threads: int | None = None,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Notify = silent,
) -> TextCosts:
    """Count and time the tokens of `texts` with the tokenizer of `model`, whose weights are not loaded.

    `texts` are strings, or strings by label (a language); None takes a sentence of ours in eight languages. `model` is
    what `measure` takes; a model object needs its `tokenizer`. With `cycle` the whole cycle of each text is measured
    too. `budget` is in seconds, loading not counted. Interrupted by Ctrl-C, it gives what there is, marked partial.

    Raises `UsageError`, `ModelError`, `MissingExtra`, `EngineError`.
    """
    by_label = _labelled(texts)
    request = Request(
        model=model,
        tokenizer=tokenizer,
        texts=tuple(text for _, text in by_label),
        device=device,
        threads=threads,
        seed=seed,
        trust_remote_code=trust_remote_code,
    )
    return compare_request(request, tuple(label for label, _ in by_label), cycle, budget, progress)


def compare_request(
    request: Request,
    labels: Sequence[str],
    cycle: bool = False,
    budget: float | None = None,
    progress: Notify = silent,
    clock: Clock | None = None,
) -> TextCosts:
    """The same for a request, whose texts have `labels` (empty ones where they have none)."""
    seconds = budget if budget is not None else DEFAULT_CYCLE_BUDGET_S if cycle else DEFAULT_BUDGET_S
    if not 0 < seconds < math.inf:
        raise UsageError(
            m("The budget must be above 0 s (got {given} s).", given=format(seconds, "g")),
            "",
            m("Give seconds, such as 10."),
        )
    check(request)
    _refuse_broken_texts(request.texts)
    progress("load", 0.0)
    with keeping(request):
        opened = open_tokenizers(request)
        share = _TOKENIZING_SHARE if cycle else 1.0
        collected = Tokenizing(opened.tokenizers, request.texts)
        collected.collect(clock or SystemClock(), int(seconds * share * NS_PER_S), progress)
        cycles: list[Cycle] = []
        interrupted = collected.interrupted
        if cycle and not interrupted:
            interrupted = _measure_each(request, seconds * (1 - share), cycles, progress)
    return TextCosts(
        model=opened.reference,
        machine=opened.machine,
        texts=tuple(_facts(*pair) for pair in zip(labels, request.texts, strict=True)),
        runs=collected.runs(),
        longest=opened.longest,
        cycles=tuple(cycles),
        partial=interrupted,
        notes=opened.notes,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
    )


def _measure_each(request: Request, seconds: float, into: list[Cycle], progress: Notify) -> bool:
    """The cycle of each text alone, all in `seconds`, loading not counted. Whether Ctrl-C ended it before the last."""
    for text in request.texts:
        one = replace(request, texts=(text,), keep_text=False)
        try:
            into.append(measure_request(one, seconds / len(request.texts), progress))
        except KeyboardInterrupt:  # while a model was loading; the cycles before it stand
            return True
        if into[-1].partial:
            return True
    return False


@dataclass
class Tokenizing:
    """Texts through tokenizers. Counted when made; `collect` adds samples of time, and loses none when interrupted."""

    tokenizers: Sequence[TextTokenizer]
    texts: Sequence[str]
    interrupted: bool = False
    _lanes: list[_Lane] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._counts = [tuple(tokenizer.count(text) for text in self.texts) for tokenizer in self.tokenizers]
        self._lanes = [_Lane(tokenizer, text) for tokenizer in self.tokenizers for text in (*self.texts, ONE_LETTER)]

    def collect(self, clock: Clock, budget_ns: Nanoseconds, notify: Notify = silent) -> None:
        """Visit all texts and tokenizers in turn, there and back (A B C C B A), until every median is known to ±1 %.

        Neighbours share whatever else the machine does, and going back and forth cancels a steady drift. Ends when
        `budget_ns` is spent, and not before every text was visited once. Ctrl-C ends it too, if every text has a sample.
        """
        begin = clock.now_ns()
        lanes = self._lanes
        for number, lane in enumerate(lanes):
            notify("warm up", number / len(lanes))
            lane.warm_up(clock, int(budget_ns * _MOST_WARM_UP / len(lanes)))
        passes, look_at = 0, 4
        try:
            while True:
                for lane in lanes if passes % 2 == 0 else reversed(lanes):
                    lane.visit(clock)
                passes += 1
                spent = clock.now_ns() - begin
                notify("tokenize", min(1.0, spent / budget_ns))
                if spent >= budget_ns or lanes[0].n >= _MOST_SAMPLES:
                    return
                if passes >= look_at:
                    # Looked at ever more rarely: an interval is not free, and hardly changes from one pass to the next.
                    look_at *= 2
                    if all(lane.known() for lane in lanes):
                        return
        except KeyboardInterrupt:
            if not all(lane.n for lane in lanes):
                raise
            self.interrupted = True

    def runs(self) -> tuple[TokenizerRun, ...]:
        """What was seen so far, one for each tokenizer."""
        width = len(self.texts) + 1
        found = []
        for i, (tokenizer, counts) in enumerate(zip(self.tokenizers, self._counts, strict=True)):
            *samples, one_letter = (lane.samples for lane in self._lanes[i * width : (i + 1) * width])
            found.append(TokenizerRun(tokenizer.info, counts, tuple(map(_column, samples)), _column(one_letter)))
        return tuple(found)


@dataclass
class _Lane:
    """One text and one tokenizer, with the times of its calls."""

    tokenizer: TextTokenizer
    text: str
    samples: list[int] = field(default_factory=list)
    long: bool = False

    @property
    def n(self) -> int:
        return len(self.samples)

    def warm_up(self, clock: Clock, limit_ns: Nanoseconds) -> None:
        """Call until two windows of calls agree, or the time is up."""
        begin = clock.now_ns()
        walls: list[int] = []
        while not is_steady(walls) and (not walls or clock.now_ns() - begin < limit_ns):
            walls += [self._call(clock) for _ in range(1 if not walls or walls[-1] > _LONG_NS else _WARM_BLOCK)]
        self.long = walls[-1] > _LONG_NS

    def visit(self, clock: Clock) -> None:
        """Some calls in a row, after one that brings this text back into the caches."""
        if not self.long:
            self._call(clock)
        self.samples += [self._call(clock) for _ in range(1 if self.long else _VISIT_CALLS)]

    def known(self) -> bool:
        return self.n >= _LEAST_SAMPLES and median_estimate(np.asarray(self.samples)).half_width <= NARROW

    def _call(self, clock: Clock) -> int:
        begin = clock.now_ns()
        self.tokenizer.encode(self.text)
        return clock.now_ns() - begin


def _column(samples: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray(samples, dtype=np.int64)


def _labelled(texts: Sequence[str] | Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    if texts is None:
        return tuple(parallel_sentences().items())
    if isinstance(texts, Mapping):
        found = tuple(texts.items())
    else:
        found = tuple(("", text) for text in ([texts] if isinstance(texts, str) else texts))
    if not found:
        raise UsageError(
            m("There is no text."), m("The list of texts is empty."), m("Give a text, or None for built-in texts.")
        )
    return found


def _refuse_broken_texts(texts: Sequence[str]) -> None:
    """Half a surrogate pair, as an argument that is not UTF-8 becomes in Python, is no character that could be counted."""
    for position, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            raise UsageError(
                m("Text {number} must be Unicode text.", number=position + 1),
                m("Character {number} is one half of a surrogate pair, which has no UTF-8.", number=exc.start + 1),
                m("Give the text as UTF-8."),
            ) from exc


def _facts(label: str, text: str) -> TextFacts:
    return TextFacts(label, text[:_BEGINNING], len(text), len(text.encode()))
