"""One kind of machine: those that are alike, what they have measured, and what is still to be measured by any of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyclescope.calibrating.learning.cluster.division import Difference, Queue, Share, difference
from cyclescope.calibrating.learning.cluster.rows import Rows
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text


@dataclass(frozen=True, slots=True)
class MachineShare:
    """What one machine has done: how many workloads it measured, and why it left, where it did. `earlier` where it was not there
    this time.
    """

    name: str
    workloads: int
    lost: Text = ""
    earlier: bool = False


@dataclass
class Member:
    """One machine of a kind: its ceilings, whether it can be asked now, and why it left."""

    ceilings: Ceilings
    there: bool = True
    lost: Text = ""
    earlier: bool = False


@dataclass
class Kind:
    """Machines that are alike. `taken` says which of them measured a workload, `running` what each has in hand; `reference`
    are the ceilings that times are held against, `before` how many kinds of the same fingerprint were there before.
    """

    fingerprint: str
    rows: Rows
    reference: Ceilings
    queue: Queue
    before: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    running: dict[str, Share] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to measure."""
        return not self.running and not self.queue.waiting

    def idle(self) -> list[str]:
        """Machines that wait for work."""
        return [name for name, member in self.members.items() if member.there and name not in self.running]

    def differs(self, ceilings: Ceilings) -> Difference | None:
        """How a machine with `ceilings` differs from these; None where it is alike."""
        return difference(self.reference, ceilings)

    def join(self, name: str, ceilings: Ceilings, *, there: bool = True) -> None:
        """`name` is one of these machines; what it has measured earlier need not be measured again."""
        self.members[name] = Member(ceilings, there, earlier=not there)
        if name == self.rows.here:
            self.reference = ceilings
        for case in sorted(self.rows.names(name)):
            self.taken.setdefault(case, name)
        self.queue.drop(set(self.taken))

    def leave(self, name: str, why: Text) -> None:
        """`name` is gone; what it had in hand is done by another."""
        self.members[name].there = False
        self.members[name].lost = why
        share = self.running.pop(name, None)
        if share is not None:
            self.queue.back(share, why)

    def shares(self) -> tuple[MachineShare, ...]:
        """Every machine that was one of these, with what it has measured."""
        counts = dict.fromkeys(self.members, 0)
        for name in self.taken.values():
            counts[name] += 1
        return tuple(
            MachineShare(name, counts[name], member.lost, member.earlier) for name, member in self.members.items()
        )

    @property
    def apart(self) -> str:
        """What tells the files of these from those of others with the same fingerprint; empty for the first such kind."""
        return ",".join(sorted(self.members)) if self.before else ""
