"""`doctor`: whether this machine can be trusted for measuring now, one judgement a topic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.machine import Machine
from cyclescope.core.samples import Load
from cyclescope.machines.fingerprint import Freshness
from cyclescope.machines.state import HostState

# Where a figure begins to be trouble. Each is far from what a machine at rest shows and from what a busy one does.
BUSY = 0.05  # share of all cores that others use
SCARCE_MEMORY = 0.10  # share of the memory that is left
NOISY = 0.02  # half width of the A/A interval in a trial of two seconds
COARSE_CLOCK_NS = 1_000  # a small operation takes as long
_STEADY_GOVERNORS = frozenset({"performance"})
_VECTORS = frozenset({"avx2", "avx512f", "asimd", "sve", "sve2"})


class Topic(StrEnum):
    """What is looked at."""

    CORES = "cores"
    QUOTA = "quota"
    LOAD = "load"
    FREQUENCY = "frequency"
    TURBO = "turbo"
    MEMORY = "memory"
    SWAP = "swap"
    VIRTUAL = "virtual"
    THREADS = "threads"
    ENGINES = "engines"
    EXTRAS = "extras"
    INSTRUCTIONS = "instructions"
    CALIBRATION = "calibration"
    LEARNING = "learning"
    CLOCK = "clock"
    NOISE = "noise"


class CheckOutcome(StrEnum):
    """What was found; `…-unknown` where the system does not tell."""

    CORES_ALL = "cores-all"
    CORES_FEWER = "cores-fewer"
    QUOTA_NONE = "quota-none"
    QUOTA_LIMITS = "quota-limits"
    QUOTA_THROTTLED = "quota-throttled"
    LOAD_QUIET = "load-quiet"
    LOAD_BUSY = "load-busy"
    LOAD_UNKNOWN = "load-unknown"
    FREQUENCY_STEADY = "frequency-steady"
    FREQUENCY_VARIES = "frequency-varies"
    FREQUENCY_UNKNOWN = "frequency-unknown"
    TURBO_ON = "turbo-on"
    TURBO_OFF = "turbo-off"
    MEMORY_AMPLE = "memory-ample"
    MEMORY_SCARCE = "memory-scarce"
    MEMORY_UNKNOWN = "memory-unknown"
    SWAP_NONE = "swap-none"
    SWAP_UNUSED = "swap-unused"
    SWAP_USED = "swap-used"
    SWAP_UNKNOWN = "swap-unknown"
    VIRTUAL_NO = "virtual-no"
    VIRTUAL_YES = "virtual-yes"
    THREADS_UNSET = "threads-unset"
    THREADS_FIT = "threads-fit"
    THREADS_MANY = "threads-many"
    THREADS_FEW = "threads-few"
    THREADS_ODD = "threads-odd"
    ENGINES_THERE = "engines-there"
    ENGINES_NONE = "engines-none"
    EXTRAS_THERE = "extras-there"
    EXTRAS_NONE = "extras-none"
    INSTRUCTIONS_VECTOR = "instructions-vector"
    INSTRUCTIONS_SCALAR = "instructions-scalar"
    INSTRUCTIONS_UNKNOWN = "instructions-unknown"
    CALIBRATION_FRESH = "calibration-fresh"
    CALIBRATION_CHANGED = "calibration-changed"
    CALIBRATION_OLD = "calibration-old"
    CALIBRATION_DISTURBED = "calibration-disturbed"
    CALIBRATION_MISSING = "calibration-missing"
    CALIBRATION_BROKEN = "calibration-broken"
    LEARNING_FRESH = "learning-fresh"
    LEARNING_STALE = "learning-stale"
    LEARNING_BROKEN = "learning-broken"
    CLOCK_FINE = "clock-fine"
    CLOCK_COARSE = "clock-coarse"
    NOISE_LOW = "noise-low"
    NOISE_HIGH = "noise-high"
    NOISE_UNKNOWN = "noise-unknown"


WARNINGS = frozenset(
    {
        CheckOutcome.CORES_FEWER,
        CheckOutcome.QUOTA_THROTTLED,
        CheckOutcome.LOAD_BUSY,
        CheckOutcome.FREQUENCY_VARIES,
        CheckOutcome.MEMORY_SCARCE,
        CheckOutcome.SWAP_USED,
        CheckOutcome.VIRTUAL_YES,
        CheckOutcome.THREADS_MANY,
        CheckOutcome.THREADS_FEW,
        CheckOutcome.THREADS_ODD,
        CheckOutcome.ENGINES_NONE,
        CheckOutcome.INSTRUCTIONS_SCALAR,
        CheckOutcome.CALIBRATION_CHANGED,
        CheckOutcome.CALIBRATION_OLD,
        CheckOutcome.CALIBRATION_DISTURBED,
        CheckOutcome.CALIBRATION_MISSING,
        CheckOutcome.CALIBRATION_BROKEN,
        CheckOutcome.LEARNING_STALE,
        CheckOutcome.LEARNING_BROKEN,
        CheckOutcome.CLOCK_COARSE,
        CheckOutcome.NOISE_HIGH,
    }
)


class Learning(StrEnum):
    """What the stored timing models of a machine are good for."""

    FRESH = "fresh"
    STALE = "stale"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What is kept of this machine. `broken` counts files that cannot be read; `learned` is the state of its timing models,
    None where there never were any.
    """

    ceilings: Ceilings | None = None
    freshness: Freshness | None = None
    broken: int = 0
    learned: Learning | None = None


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Everything that is judged."""

    machine: Machine
    state: HostState
    load: Load
    calibrated: Calibrated
    noise: Figure | None


@dataclass(frozen=True, slots=True)
class Check:
    """One judgement."""

    topic: Topic
    outcome: CheckOutcome

    @property
    def fine(self) -> bool:
        return self.outcome not in WARNINGS


@dataclass(frozen=True, slots=True)
class Examination:
    """The facts and a judgement for each topic that there is something to say about."""

    facts: MachineFacts
    checks: tuple[Check, ...]

    @property
    def warnings(self) -> int:
        return sum(not check.fine for check in self.checks)


def examine(facts: MachineFacts) -> Examination:
    """Judge `facts`; the same facts give the same judgements."""
    return Examination(facts, tuple(Check(topic, outcome) for topic, outcome in _outcomes(facts)))


def _outcomes(facts: MachineFacts) -> Iterator[tuple[Topic, CheckOutcome]]:
    state = facts.state
    fewer = state.usable_cores < state.online_cores
    yield Topic.CORES, CheckOutcome.CORES_FEWER if fewer else CheckOutcome.CORES_ALL
    yield Topic.QUOTA, _quota(state, facts.load)
    yield Topic.LOAD, _load(facts.load)
    yield Topic.FREQUENCY, _frequency(state)
    if state.turbo is not None:
        yield Topic.TURBO, CheckOutcome.TURBO_ON if state.turbo else CheckOutcome.TURBO_OFF
    yield Topic.MEMORY, _memory(facts)
    yield Topic.SWAP, _swap(state)
    yield Topic.VIRTUAL, CheckOutcome.VIRTUAL_YES if facts.machine.virtual else CheckOutcome.VIRTUAL_NO
    yield Topic.THREADS, _threads(facts)
    yield Topic.ENGINES, CheckOutcome.ENGINES_THERE if state.engines else CheckOutcome.ENGINES_NONE
    yield Topic.EXTRAS, CheckOutcome.EXTRAS_THERE if state.extras else CheckOutcome.EXTRAS_NONE
    yield Topic.INSTRUCTIONS, _instructions(state)
    yield Topic.CALIBRATION, _calibration(facts.calibrated)
    if facts.calibrated.learned is not None:
        yield Topic.LEARNING, _LEARNING[facts.calibrated.learned]
    coarse = state.clock_step_ns > COARSE_CLOCK_NS
    yield Topic.CLOCK, CheckOutcome.CLOCK_COARSE if coarse else CheckOutcome.CLOCK_FINE
    yield Topic.NOISE, _noise(facts.noise)


def _quota(state: HostState, load: Load) -> CheckOutcome:
    if load.throttled_ns:
        return CheckOutcome.QUOTA_THROTTLED
    limits = state.quota_cores is not None and state.quota_cores < state.usable_cores
    return CheckOutcome.QUOTA_LIMITS if limits else CheckOutcome.QUOTA_NONE


def _load(load: Load) -> CheckOutcome:
    if load.other_busy is None:
        return CheckOutcome.LOAD_UNKNOWN
    return CheckOutcome.LOAD_BUSY if load.other_busy > BUSY else CheckOutcome.LOAD_QUIET


def _frequency(state: HostState) -> CheckOutcome:
    if not state.governors:
        return CheckOutcome.FREQUENCY_UNKNOWN
    steady = set(state.governors) <= _STEADY_GOVERNORS
    return CheckOutcome.FREQUENCY_STEADY if steady else CheckOutcome.FREQUENCY_VARIES


def _memory(facts: MachineFacts) -> CheckOutcome:
    available, whole = facts.state.available_bytes, facts.machine.memory_bytes
    if available is None or not whole:
        return CheckOutcome.MEMORY_UNKNOWN
    return CheckOutcome.MEMORY_SCARCE if available < SCARCE_MEMORY * whole else CheckOutcome.MEMORY_AMPLE


def _swap(state: HostState) -> CheckOutcome:
    if state.swap_bytes is None or state.swap_used_bytes is None:
        return CheckOutcome.SWAP_UNKNOWN
    if not state.swap_bytes:
        return CheckOutcome.SWAP_NONE
    return CheckOutcome.SWAP_USED if state.swap_used_bytes else CheckOutcome.SWAP_UNUSED


def _threads(facts: MachineFacts) -> CheckOutcome:
    limits = [value for _, value in facts.state.thread_limits]
    if not limits:
        return CheckOutcome.THREADS_UNSET
    # OMP_NUM_THREADS may be a list, one number for each level of nesting; the first counts here.
    first = [value.partition(",")[0].strip() for value in limits]
    if any(not value.isdigit() or int(value) < 1 for value in first):
        return CheckOutcome.THREADS_ODD
    counts = [int(value) for value in first]
    if max(counts) > facts.machine.cores:
        return CheckOutcome.THREADS_MANY
    return CheckOutcome.THREADS_FEW if min(counts) < facts.machine.cores else CheckOutcome.THREADS_FIT


def _instructions(state: HostState) -> CheckOutcome:
    if not state.features:
        return CheckOutcome.INSTRUCTIONS_UNKNOWN
    return CheckOutcome.INSTRUCTIONS_VECTOR if _VECTORS & set(state.features) else CheckOutcome.INSTRUCTIONS_SCALAR


def _calibration(calibrated: Calibrated) -> CheckOutcome:
    freshness = calibrated.freshness
    if freshness is None:
        return CheckOutcome.CALIBRATION_BROKEN if calibrated.broken else CheckOutcome.CALIBRATION_MISSING
    if freshness.changed:
        return CheckOutcome.CALIBRATION_CHANGED
    if freshness.too_old:
        return CheckOutcome.CALIBRATION_OLD
    # Every calibration measures the noise; one beyond use is not kept.
    disturbed = calibrated.ceilings is not None and calibrated.ceilings.noise is None
    return CheckOutcome.CALIBRATION_DISTURBED if disturbed else CheckOutcome.CALIBRATION_FRESH


def _noise(noise: Figure | None) -> CheckOutcome:
    if noise is None:
        return CheckOutcome.NOISE_UNKNOWN
    return CheckOutcome.NOISE_HIGH if noise.value > NOISY else CheckOutcome.NOISE_LOW


_LEARNING = {
    Learning.FRESH: CheckOutcome.LEARNING_FRESH,
    Learning.STALE: CheckOutcome.LEARNING_STALE,
    Learning.BROKEN: CheckOutcome.LEARNING_BROKEN,
}
