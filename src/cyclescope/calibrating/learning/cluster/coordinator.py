"""The coordination of a learning on many machines: what each is asked next, and what happens where one fails or dies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cyclescope.calibrating.learning.cluster.division import Difference, Queue
from cyclescope.calibrating.learning.cluster.kinds import Kind
from cyclescope.calibrating.learning.cluster.messages import (
    Answer,
    Calibrate,
    Calibrated,
    Failed,
    Measure,
    Measured,
    PlainCase,
)
from cyclescope.calibrating.learning.cluster.pool import Event, Lost, Pool
from cyclescope.calibrating.learning.cluster.rows import Rows
from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.calibrating.learning.learn import training_folder
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text, listed, m, plural, sentences
from cyclescope.core.units import NS_PER_S
from cyclescope.predicting.fitted import required_place

_STARTS = 2  # of the slot of a machine that the cluster still counts in
_LOST = m("The machine, or Ray on it, died.")
_BAD_FILE = m("What it sent is no measured cycle.")
_NOT_RUN = m("It was not run within the budget.")


class Coordinator:
    """`described` are the machines that can help, with their fingerprints. Each calibrates first; then it is one of a kind,
    and measures shares of what that kind has still to do until nothing is left.
    """

    def __init__(
        self,
        pool: Pool,
        cases: Sequence[TrainingCase],
        budget_s: float,
        described: Mapping[str, str],
        calibrate: Calibrate,
    ) -> None:
        self.kinds: list[Kind] = []
        self.unable: dict[str, Text] = {}
        self.apart: list[Text] = []
        self._pool = pool
        self._cases = cases
        self._case_ns = budget_s * NS_PER_S / len(cases)
        self._described = described
        self._calibrate = calibrate
        self._calibrating: set[str] = set()
        self._kind_of: dict[str, Kind] = {}
        self._starts: dict[str, int] = {}

    def begin(self) -> None:
        """Ask every machine for its ceilings. Raises `OutputError` where rows could not be kept."""
        for name in self._described:
            self._start(name)

    @property
    def busy(self) -> bool:
        """Whether anything is still to come."""
        return bool(self._calibrating) or any(kind.running for kind in self.kinds)

    @property
    def done(self) -> float:
        """The share of all workloads of all kinds that is measured."""
        known = {kind.fingerprint for kind in self.kinds}
        kinds = len(self.kinds) + len(set(self._described.values()) - known)
        return sum(len(kind.taken) for kind in self.kinds) / (len(self._cases) * max(1, kinds))

    def now(self) -> Text:
        """What goes on, in a few words."""
        measuring = sum(len(kind.running) for kind in self.kinds)
        waiting = [name for name in self._calibrating if not self._pool.holds(name)]
        if measuring:
            return plural("{n} machine measures", "{n} machines measure", measuring, n=measuring)
        if waiting:
            return m("calibrating, or waiting for the slot: {machines}", machines=listed(sorted(waiting)))
        return m("calibrating: {machines}", machines=listed(sorted(self._calibrating)))

    def take(self, event: Event) -> None:
        """What became of the question that a machine was asked."""
        name, outcome = event.machine, event.outcome
        if isinstance(outcome, Lost):
            self._lost(name, sentences(_LOST, outcome.why))
        elif name in self._calibrating:
            self._calibrated(name, outcome)
        else:
            self._measured(name, outcome)
        self._hand_out()

    def _start(self, name: str) -> None:
        self._starts[name] = self._starts.get(name, 0) + 1
        self._calibrating.add(name)
        self._pool.ask(name, self._calibrate)

    def _lost(self, name: str, why: Text) -> None:
        self._calibrating.discard(name)
        kind = self._kind_of.get(name)
        if kind is not None:
            kind.leave(name, why)
        else:
            self.unable[name] = why
        self._pool.release(name)
        if self._starts[name] < _STARTS and self._pool.alive(name):
            self._start(name)

    def _calibrated(self, name: str, answer: Answer) -> None:
        reply = answer.reply
        self._calibrating.discard(name)
        if not isinstance(reply, Calibrated):
            failed = reply if isinstance(reply, Failed) else Failed(m("It gave another answer."))
            self.unable[name] = sentences(failed.fact, failed.cause)
            self._pool.release(name)
            return
        self.unable.pop(name, None)
        kind = self._kind(name, reply.ceilings)
        kind.rows.know(name, reply.ceilings)
        kind.join(name, reply.ceilings)
        self._kind_of[name] = kind

    def _kind(self, name: str, ceilings: Ceilings) -> Kind:
        """The kind of machine that `name` is one of: one that is alike, else a new one."""
        fingerprint = self._described[name]
        same = [kind for kind in self.kinds if kind.fingerprint == fingerprint]
        differences = [kind.differs(ceilings) for kind in same]
        for kind, difference in zip(same, differences, strict=True):
            if difference is None:
                return kind
        if same and differences[0] is not None:
            self.apart.append(_apart(name, next(iter(same[0].members)), differences[0]))
        kind = self._found(fingerprint, ceilings, len(same))
        self.kinds.append(kind)
        return kind

    def _found(self, fingerprint: str, ceilings: Ceilings, before: int) -> Kind:
        """A kind of which nothing is known but what was measured earlier by machines that are alike."""
        place = required_place(fingerprint, self._calibrate.engine)
        machines = sum(1 for other in self._described.values() if other == fingerprint)
        rows = Rows(training_folder(place), self._pool.here)
        kind = Kind(fingerprint, rows, ceilings, Queue.of(self._cases, machines), before)
        for name, known in rows.machines():
            if kind.differs(known) is None:
                kind.join(name, known, there=False)
        return kind

    def _measured(self, name: str, answer: Answer) -> None:
        kind = self._kind_of[name]
        share = kind.running.pop(name)
        why: Text = _NOT_RUN
        if isinstance(answer.reply, Measured):
            for case in share.cases:
                content = answer.files.get(case.name)
                if content is None or case.name in kind.taken:
                    continue
                if kind.rows.keep(name, case.name, content):
                    kind.taken[case.name] = name
                else:
                    why = _BAD_FILE
        elif isinstance(answer.reply, Failed):
            why = sentences(answer.reply.fact, answer.reply.cause)
        kind.queue.back(share.without(kind.taken), why)

    def _hand_out(self) -> None:
        """Give work to those that wait for it, and give back the slots of those for which there is none."""
        for kind in self.kinds:
            for name in kind.idle():
                share = kind.queue.take()
                if share is None:
                    break
                kind.running[name] = share
                budget_ns = int(self._case_ns * len(share.cases))
                self._pool.ask(name, Measure(tuple(map(PlainCase.of, share.cases)), budget_ns))
            if kind.complete:
                for name in kind.idle():
                    kind.members[name].there = False
                    self._pool.release(name)
        self._release_late()

    def _release_late(self) -> None:
        """Machines that have not got their slot yet are not waited for where all is measured that they could help with."""
        for name in tuple(self._calibrating):
            alike = [kind for kind in self.kinds if kind.fingerprint == self._described[name]]
            if alike and all(kind.complete for kind in alike) and not self._pool.holds(name):
                self._calibrating.discard(name)
                self._pool.release(name)
                self.unable.setdefault(name, m("Its slot was not free before all was measured."))


def _apart(name: str, other: str, difference: Difference) -> Text:
    return m(
        "{machine} is learned apart from {other}, though both look alike: {what} is {ratio} times that of {other}.",
        machine=name,
        other=other,
        what=difference.what,
        ratio=f"{difference.ratio:.2f}",
    )
