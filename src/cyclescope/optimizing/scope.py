"""What of the asked cycle is run: a few tokens where a plan is tried, and as much in the proof as the budget allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cyclescope.core.message import Text, m
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.units import Nanoseconds
from cyclescope.measuring.pace import Pace, most_tokens
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.search.schedule import ASSUMED_TIME_SHARE, WARM_CYCLES
from cyclescope.optimizing.search.whole_cycle import WHOLE, WholeCycle

PROBE_TOKENS = 8  # written once, to see what a step takes
_LONG = 0.01  # of the budget; cycles up to this are run whole in every trial
_TRIAL_TOKENS = 8
_PROOF = 0.4  # of the budget, for all whole cycles of a proof


@dataclass(frozen=True, slots=True)
class Scope:
    """`proof` is the job of the proof and `trial` that of a trial, `whole` what a run of `trial` says about a cycle of
    `proof`. `one_each`: each text of `trial` is a call of its own, whatever a plan says. They are equal where cycles are short.
    """

    proof: Job
    trial: Job
    whole: WholeCycle = WHOLE
    one_each: bool = False

    @property
    def sampled(self) -> bool:
        """Whether a trial runs less than the proof."""
        return self.trial != self.proof

    def notes(self, asked: Job, tokens_out: int, *, confirmed: bool) -> Iterator[Text]:
        """What a reader must know where less than the `asked` job with its `tokens_out` tokens a text was run; `confirmed`:
        the proof ran.
        """
        if not self.sampled:
            return
        yield m(
            "Plans were tried on the first {n} output tokens; the time of a whole generation follows from its prefill and its "
            "decode steps.",
            n=self.trial.new_tokens or 0,
        )
        if not confirmed:
            return
        if len(self.proof.texts) < len(asked.texts):
            yield m(
                "The confirmation covers {some} of {texts} texts: more do not fit into the budget.",
                some=len(self.proof.texts),
                texts=len(asked.texts),
            )
        if (self.proof.new_tokens or tokens_out) < tokens_out:
            yield m(
                "The confirmation covers {some} of {tokens} output tokens: more do not fit into the budget.",
                some=self.proof.new_tokens or 0,
                tokens=tokens_out,
            )


def probe_of(job: Job) -> Job:
    """The least of `job` that shows what it costs: one text of usual length, and few tokens where a number is asked for."""
    probe = replace(job, texts=_usual_first(job)[:1])
    if probe.texts:
        probe = replace(probe, batch=None)
    return replace(probe, new_tokens=min(job.new_tokens, PROBE_TOKENS)) if job.new_tokens else probe


def scope_of(
    job: Job,
    pace: Pace | None,
    *,
    tokens_in: int,
    tokens_out: int,
    budget_ns: Nanoseconds,
    batches: bool,
    grows: bool,
) -> Scope:
    """The scope for `job`, whose probe wrote at `pace` (None: unknown) on a prompt of `tokens_in` tokens; `tokens_out` are to
    be written.

    `batches`: several texts may share a call, so that a trial needs all of them. `grows`: the KV cache of a decode step holds
    the prompt, so that a longer prompt shows how a step grows.
    """
    if pace is None or tokens_out <= _TRIAL_TOKENS:
        return Scope(job, job)
    one = pace.cycle_ns(tokens_out)
    texts = len(job.texts) or 1
    if one * texts <= _LONG * budget_ns:
        return Scope(job, job)
    most = _PROOF * budget_ns / ((WARM_CYCLES + LEAST_ROUNDS_FOR_VERDICT) * (1 + ASSUMED_TIME_SHARE))
    count = max(1, min(texts, int(most / one)))
    tokens = max(_TRIAL_TOKENS, most_tokens(pace.cycle_ns, most, tokens_out))
    kept = _usual_first(job)[:count]
    proof = replace(job, texts=kept, new_tokens=tokens)
    apart = tokens - _TRIAL_TOKENS
    if batches or not kept or not grows or apart <= 0:
        # A call of several texts is not that of one, and made-up tokens all have one length.
        sampled = kept if batches else kept[:1]
        trial = replace(proof, texts=sampled, new_tokens=_TRIAL_TOKENS)
        return Scope(proof, trial, WholeCycle(count, tokens, sampled=max(1, len(sampled))))
    trial = replace(proof, texts=(kept[0], longer(kept[0], tokens_in, apart)), new_tokens=_TRIAL_TOKENS, batch=None)
    return Scope(proof, trial, WholeCycle(count, tokens, apart), one_each=True)


def longer(text: str, tokens: int, more: int) -> str:
    """`text`, which has `tokens` tokens, said again until it has about `more` tokens more."""
    length = round(len(text) * (1 + more / max(1, tokens)))
    again = f"{text} "
    return (again * (length // len(again) + 1))[:length]


def _usual_first(job: Job) -> tuple[str, ...]:
    """The texts of `job`, those first whose length is nearest to the median."""
    lengths = sorted(map(len, job.texts))
    middle = lengths[len(lengths) // 2] if lengths else 0
    return tuple(sorted(job.texts, key=lambda text: abs(len(text) - middle)))
