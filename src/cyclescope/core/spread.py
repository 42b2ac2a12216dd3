"""What the ranks of a spread plan have to do, stage by stage: facts that go with a cycle of one of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageAccount:
    """One stage of a pipeline on each of its ranks: `layers` of the model, and the cycle divided into `work_ns`, `collective_ns`
    (moving bytes to other ranks) and `waiting_ns` (for other stages), which add up to the whole. Memory: its share of the
    weights, the cache of all its microbatches, and the most that activations take beside them.
    """

    layers: int
    work_ns: float
    collective_ns: float
    waiting_ns: float
    weights_bytes: int
    cache_bytes: int
    activation_bytes: int

    @property
    def needed_bytes(self) -> int:
        return self.weights_bytes + self.cache_bytes + self.activation_bytes

    @property
    def whole_ns(self) -> float:
        return self.work_ns + self.collective_ns + self.waiting_ns


@dataclass(frozen=True, slots=True)
class Spread:
    """All stages of a spread plan in their order; the cycle is that of a rank of stage `shown`. `hosts` hold all ranks, as many
    each as `devices_per_host` (0: as many as there are). `memory_bytes` is what each rank has (0: unknown).
    """

    stages: tuple[StageAccount, ...]
    shown: int
    hosts: int = 1
    devices_per_host: int = 0
    memory_bytes: int = 0

    @property
    def account(self) -> StageAccount:
        """That of the stage whose cycle it is."""
        return self.stages[self.shown]

    @property
    def communication(self) -> float:
        """Share of the cycle that collectives take, on the stage where it is largest."""
        return max(stage.collective_ns / stage.whole_ns if stage.whole_ns else 0.0 for stage in self.stages)

    @property
    def bubble(self) -> float:
        """Share of the time of all stages that they wait for each other; (p − 1) ÷ (m + p − 1) for p equal stages and m
        microbatches of one pass without collectives (Huang et al., GPipe, 2019, section 2.3).
        """
        whole = sum(stage.whole_ns for stage in self.stages)
        return sum(stage.waiting_ns for stage in self.stages) / whole if whole else 0.0

    @property
    def most_needed(self) -> StageAccount:
        """The stage whose ranks need the most memory."""
        return max(self.stages, key=lambda stage: stage.needed_bytes)

    @property
    def fits(self) -> bool | None:
        """Whether every rank holds what it needs; None where its memory is unknown."""
        return self.most_needed.needed_bytes <= self.memory_bytes if self.memory_bytes else None


def hosts_of(first: int, ranks: int, devices_per_host: int) -> int:
    """How many hosts `ranks` ranks from number `first` on lie on, where each has so many devices (0: no end)."""
    if devices_per_host <= 0 or ranks < 1:
        return 1
    return (first + ranks - 1) // devices_per_host - first // devices_per_host + 1
