"""What the growing history of a dialogue costs turn by turn, and what handing on the cache saves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from cyclescope.backends.base import DialogueSession, Request
from cyclescope.backends.registry import keeping, open_dialogue
from cyclescope.backends.request_checks import check_dialogue
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.dialogue import OWN, Dialogue, TurnFacts, TurnRun, TurnSamples
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.progress import Notify, silent
from cyclescope.core.statistics import LEAST_SAMPLES, median_estimate
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.version import __version__
from cyclescope.measuring.sampling import NARROW

DEFAULT_DIALOGUE_BUDGET_S = 30.0
_MOST_ROUNDS = 100
_ROUND = (False, True, True, False)  # A B B A: whether each run has the cache of the turn before


def measure_dialogue(
    model: str | object,
    text: str | Sequence[str],
    *,
    tokenizer: object | None = None,
    chat_template: str = OWN,
    new_tokens: int | None = None,
    sampling: str = "greedy",
    weights: str = "auto",
    device: str = "cpu",
    threads: int | None = None,
    dtype: str | None = None,
    attention: str | None = None,
    budget: float | None = None,
    seed: int = 0,
    trust_remote_code: bool = False,
    progress: Notify = silent,
) -> Dialogue:
    """Measure a dialogue with `model` whose user says the texts of `text`, one a turn; each reply has `new_tokens` (32).

    The dialogue is held once, and its replies are the history from then on. Each turn is then measured with the whole
    history read again and with the keys and values of the turn before, in the order A B B A, for `budget` seconds (30)
    in all. `chat_template` is `own`, that of the tokenizer, or `plain`. Texts and replies are not kept.

    Raises `UsageError`, `ModelError`, `MissingExtra`, `Unsupported`, `EngineError`.
    """
    request = Request(
        model=model,
        tokenizer=tokenizer,
        texts=(text,) if isinstance(text, str) else tuple(text),
        task="chat",
        weights=weights,
        device=device,
        threads=threads,
        dtype=dtype,
        attention=attention,
        seed=seed,
        trust_remote_code=trust_remote_code,
        new_tokens=new_tokens,
        sampling=sampling,
    )
    return dialogue_request(request, chat_template, budget, progress)


def dialogue_request(
    request: Request, template: str = OWN, budget: float | None = None, progress: Notify = silent
) -> Dialogue:
    """Measure the dialogue that `request` asks for, within `budget` seconds after loading."""
    budget = DEFAULT_DIALOGUE_BUDGET_S if budget is None else budget
    if not 0 < budget < float("inf"):
        raise UsageError(
            m("The budget must be above 0 s (got {given} s).", given=format(budget, "g")),
            "",
            m("Give seconds, such as 10."),
        )
    check_dialogue(request, template)
    with keeping(request):
        progress("load", 0.0)
        session = open_dialogue(request, template)
        try:
            return dialogue_session(session, template, int(budget * NS_PER_S), progress=progress)
        finally:
            session.close()


def dialogue_session(
    session: DialogueSession,
    template: str,
    budget_ns: Nanoseconds,
    clock: Clock | None = None,
    progress: Notify = silent,
) -> Dialogue:
    """Rounds over all turns of an open dialogue until every median is narrow or the budget is spent; one at least.

    The clock only decides when to stop. Ctrl-C gives what there is, marked partial, once a round was completed.
    """
    clock = clock or SystemClock()
    begin = clock.now_ns()
    lanes = [_Lane(number, facts, session.run) for number, facts in enumerate(session.turns)]
    partial = False
    try:
        for lane in lanes:
            progress("warm up", lane.number / len(lanes))
            for reuse in (False, True):
                session.run(lane.number, reuse=reuse)
        for _ in range(_MOST_ROUNDS):
            for lane in lanes:
                lane.visit()
            spent = clock.now_ns() - begin
            progress("dialogue", min(1.0, spent / budget_ns))
            if spent >= budget_ns or all(lane.known() for lane in lanes):
                break
    except KeyboardInterrupt:
        for lane in lanes:
            lane.drop_unfinished()
        if not all(lane.again for lane in lanes):
            raise
        partial = True
    return Dialogue(
        model=session.model,
        plan=session.plan,
        machine=session.machine,
        template=template,
        new_tokens=session.new_tokens,
        turns=tuple(lane.samples() for lane in lanes),
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        partial=partial,
        notes=session.notes,
    )


@dataclass
class _Lane:
    """One turn with the times of its replies."""

    number: int
    facts: TurnFacts
    run: Callable[..., TurnRun]
    again: list[TurnRun] = field(default_factory=list)
    reused: list[TurnRun] = field(default_factory=list)

    def visit(self) -> None:
        for reuse in _ROUND:
            run = self.run(self.number, reuse=reuse)
            (self.reused if reuse else self.again).append(run)

    def drop_unfinished(self) -> None:
        """Keep whole visits only, so that both sides have seen the same."""
        whole = min(len(self.again), len(self.reused)) // 2 * 2
        del self.again[whole:], self.reused[whole:]

    def known(self) -> bool:
        return all(
            len(runs) >= LEAST_SAMPLES
            and median_estimate(np.asarray([run.wall_ns for run in runs])).half_width <= NARROW
            for runs in (self.again, self.reused)
        )

    def samples(self) -> TurnSamples:
        def column(runs: Sequence[TurnRun], name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.asarray([getattr(run, name) for run in runs], dtype=np.int64)

        return TurnSamples(
            self.facts,
            again_first_ns=column(self.again, "first_token_ns"),
            again_wall_ns=column(self.again, "wall_ns"),
            reused_first_ns=column(self.reused, "first_token_ns"),
            reused_wall_ns=column(self.reused, "wall_ns"),
        )
