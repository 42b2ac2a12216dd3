"""Wall times as a shared machine gives them: slow waves of its speed, a drift, and now and then a stall."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cyclescope.core.samples import UninstrumentedSamples


@dataclass
class NoisyMachine:
    """A clock and the noise of everything that runs on it.

    The logarithm of its speed is a walk that is pulled back to the middle: `wave` is its spread, `memory_ns` the time
    over which it forgets. `drift` is how much slower it becomes in a second. Each run is off by `jitter`, and with
    probability `stalls` it waits for up to three times its length.
    """

    seed: int
    wave: float = 0.05
    memory_ns: float = 1e9
    drift: float = 0.0
    jitter: float = 0.02
    stalls: float = 0.05
    now_ns: float = 0.0
    _speed: float = 0.0
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._speed = self._rng.normal(0, self.wave)

    def run(self, true_ns: float) -> tuple[int, int]:
        """When a cycle that takes `true_ns` began, and how long it took."""
        rng = self._rng
        noise = rng.normal(0, self.jitter) + self._speed + self.drift * self.now_ns / 1e9
        wall = true_ns * np.exp(noise) * (1 + 3 * rng.random() if rng.random() < self.stalls else 1.0)
        began = self.now_ns
        self.now_ns += wall + 1000
        kept = np.exp(-wall / self.memory_ns)
        self._speed = kept * self._speed + np.sqrt(1 - kept**2) * rng.normal(0, self.wave)
        return int(began), int(wall)

    def block(self, true_ns: float, cycles: int) -> list[tuple[int, int]]:
        return [self.run(true_ns) for _ in range(cycles)]


def samples(runs: list[tuple[int, int]]) -> UninstrumentedSamples:
    began, walls = (np.asarray(column, dtype=np.int64) for column in zip(*runs, strict=True))
    return UninstrumentedSamples(wall_ns=walls, cpu_ns=walls, started_ns=began)


def in_turns(
    machine: NoisyMachine, a_ns: float, b_ns: float, rounds: int, block: int = 4
) -> tuple[UninstrumentedSamples, UninstrumentedSamples]:
    """A B B A, so many rounds."""
    runs: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for _ in range(rounds):
        for side in (0, 1, 1, 0):
            runs[side].extend(machine.block((a_ns, b_ns)[side], block))
    return samples(runs[0]), samples(runs[1])
