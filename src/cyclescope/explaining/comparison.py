"""Two cycles side by side: faster, slower or inconclusive, and what made the difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.prediction import COVERAGE
from cyclescope.core.ratios import (
    BETWEEN_RUNS,
    LEAST_ROUNDS_FOR_VERDICT,
    VERDICT_CONFIDENCE,
    interleaved_ratio,
    ratio_apart,
    rounds,
)
from cyclescope.core.statistics import LEAST_SAMPLES, Estimate, Ratio, median_estimate, scenario_estimate
from cyclescope.core.workload import InputUnit
from cyclescope.explaining.changes import PartChange, Partitions, Presence, part_ratio

__all__ = ["Aspect", "Comparison", "Difference", "Limit", "PartChange", "Presence", "Verdict", "Why", "compare"]

_LOADED = 0.10  # share of the cores that others used, from which `explaining.stability` doubts a measurement
_LEAST_THRESHOLD = 0.01  # a smaller difference is seldom worth a word, whatever its interval


class Verdict(StrEnum):
    """What the interval of B ÷ A allows to say of B."""

    FASTER = "faster"
    SLOWER = "slower"
    INCONCLUSIVE = "inconclusive"


class Why(StrEnum):
    """Why a verdict is inconclusive: too few samples; a prediction whose error is unknown; measured apart while others used
    the cores; a calibration whose noise is beyond use; no difference that reaches the threshold; or an interval that
    leaves open whether one does.
    """

    TOO_FEW = "too-few"
    UNKNOWN_ERROR = "unknown-error"
    LOADED = "loaded"
    NOISY = "noisy"
    SAME = "same"
    OPEN = "open"


class Limit(StrEnum):
    """Whether B is slower than A by more than what is allowed: surely not, surely, or unknown."""

    KEPT = "kept"
    EXCEEDED = "exceeded"
    UNKNOWN = "unknown"


class Aspect(StrEnum):
    """What can be another about two cycles that may still be compared."""

    MODEL = "model"
    WEIGHTS = "weights"
    TASK = "task"
    BATCH = "batch"
    TOKENS_IN = "tokens-in"
    CHARACTERS = "characters"
    ENGINE = "engine"
    DEVICE = "device"
    THREADS = "threads"
    DTYPE = "dtype"
    ATTENTION = "attention"
    SEED = "seed"
    CACHE = "cache"
    DECODING = "decoding"
    COMPILING = "compiling"
    QUANTIZATION = "quantization"
    CHANGES = "changes"
    THREADS_BETWEEN = "threads-between"
    INSTANCES = "instances"
    CALL_BATCH = "call-batch"
    BATCHING = "batching"
    DRAFTING = "drafting"
    OVERLAP = "overlap"
    TENSOR = "tensor"
    PIPELINE = "pipeline"
    DATA = "data"
    MICROBATCHES = "microbatches"
    PROCESSOR = "processor"
    CORES = "cores"
    SYSTEM = "system"
    PYTHON = "python"
    PACKAGE = "package"
    VERSION = "version"
    SOURCE = "source"


# Where one of these differs, a measurement says nothing about a prediction.
_OTHER_WORK = frozenset(
    aspect
    for aspect in Aspect
    if aspect
    not in (
        Aspect.WEIGHTS,
        Aspect.CHARACTERS,
        Aspect.SEED,
        Aspect.SYSTEM,
        Aspect.PYTHON,
        Aspect.PACKAGE,
        Aspect.VERSION,
        Aspect.SOURCE,
    )
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same about two cycles, with its value in both. `name` is that of a package."""

    aspect: Aspect
    a: str
    b: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A prediction held against a measurement: `side` (`a` or `b`) was predicted, `error` is predicted ÷ measured − 1, and
    `held` says whether the measured median lies within the interval of the prediction (None: it has none).
    """

    side: str
    error: float
    held: bool | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """`ratio` = B ÷ A of the unprofiled wall time with an interval of `confidence`. `interleaved` says whether the runs
    of both alternate, which makes the verdict safe against drift of the machine; where they were not,
    `between_runs` is by how much the interval was widened for it (a share). `differences` name what is not the same
    about the two besides time. `noise_beyond_use` is what calibrating found (a share) where that is too large for a
    threshold and no other was given, else 0. `attributed_a_ns` and `attributed_b_ns` are the sums of the parts of each; there are no
    parts, and the sums are 0, where one of the two has no instrumented run.
    """

    a: Cycle
    b: Cycle
    ratio: Ratio
    confidence: float
    threshold: float
    interleaved: bool
    stages: tuple[PartChange, ...]
    layers: tuple[PartChange, ...]
    kinds: tuple[PartChange, ...]
    operations: tuple[PartChange, ...]
    differences: tuple[Difference, ...]
    wall_a: Estimate
    wall_b: Estimate
    between_runs: float
    attributed_a_ns: float
    attributed_b_ns: float
    noise_beyond_use: float = 0.0

    @property
    def attributed_delta_ns(self) -> float:
        """What the deltas of every partition add up to."""
        return self.attributed_b_ns - self.attributed_a_ns

    @property
    def predicts(self) -> bool:
        """Whether either was predicted; the interval of `ratio` is then that of the prediction's error."""
        return any(cycle.source is Source.PREDICTED for cycle in (self.a, self.b))

    @property
    def checked(self) -> Checked | None:
        """What a measurement says of a prediction; None unless one of the two is each, of the same work."""
        sides = {"a": (self.a, self.wall_a, self.wall_b), "b": (self.b, self.wall_b, self.wall_a)}
        said = [letter for letter, (cycle, *_) in sides.items() if cycle.source is Source.PREDICTED]
        if len(said) != 1 or any(difference.aspect in _OTHER_WORK for difference in self.differences):
            return None
        _, predicted, measured = sides[said[0]]
        held = predicted.low_ns <= measured.value_ns <= predicted.high_ns if predicted.has_interval else None
        return Checked(said[0], predicted.value_ns / measured.value_ns - 1, held)

    @property
    def inconclusive_reason(self) -> Why | None:
        """Why the interval proves nothing at all; None where it does.

        Load by others makes a cycle up to many times as long, which no widening covers; interleaved it hits both.
        """
        if any(
            cycle.source is Source.PREDICTED and not wall.has_interval
            for cycle, wall in ((self.a, self.wall_a), (self.b, self.wall_b))
        ):
            return Why.UNKNOWN_ERROR
        if self.ratio.n < (LEAST_ROUNDS_FOR_VERDICT if self.interleaved else LEAST_SAMPLES):
            return Why.TOO_FEW
        loads = (cycle.samples.load.other_busy or 0.0 for cycle in (self.a, self.b))
        return Why.LOADED if not self.interleaved and max(loads) > _LOADED else None

    @property
    def verdict(self) -> Verdict:
        """Faster or slower where the whole interval lies beyond the threshold, and nothing speaks against it."""
        if self.inconclusive_reason or self.noise_beyond_use:
            return Verdict.INCONCLUSIVE
        if self.ratio.low > 1 + self.threshold:
            return Verdict.SLOWER
        return Verdict.FASTER if self.ratio.high < 1 / (1 + self.threshold) else Verdict.INCONCLUSIVE

    @property
    def why(self) -> Why | None:
        """Why there is no verdict; None where there is one."""
        if self.verdict is not Verdict.INCONCLUSIVE:
            return None
        if self.inconclusive_reason or self.noise_beyond_use:
            return self.inconclusive_reason or Why.NOISY
        upper = 1 + self.threshold
        return Why.SAME if 1 / upper <= self.ratio.low and self.ratio.high <= upper else Why.OPEN

    def slower_by_more_than(self, share: float) -> Limit:
        """Whether B ÷ A exceeds 1 + `share`: kept or exceeded where the whole interval says so, else unknown."""
        if self.inconclusive_reason:
            return Limit.UNKNOWN
        if self.ratio.low > 1 + share:
            return Limit.EXCEEDED
        return Limit.KEPT if self.ratio.high <= 1 + share else Limit.UNKNOWN


def compare(a: Cycle, b: Cycle, threshold: float | None = None, *, between_runs: float | None = None) -> Comparison:
    """Is `b` faster or slower than `a`, by how much, and where?

    A verdict is given where the whole 99 % interval of B ÷ A lies beyond 1 + `threshold` or below 1 ÷ (1 + `threshold`);
    `threshold` is a share, else 1 % or the noise floor of either machine, whichever is most; where that floor is beyond
    use (`Ceilings.noise_beyond_use`) there is no verdict without a `threshold`. Cycles that were measured in
    turns (`measure_pair`) are compared round by round; for others the interval is widened by what differs between runs:
    `between_runs`, a share, where you know it of your machine (`bench/ab.py apart` measures it).

    Raises `UsageError` for cycles that cannot be compared, with why.
    """
    require_comparable(a, b)
    if threshold is not None and not 0 <= threshold < 10:
        raise UsageError(
            m("The threshold must be a share (got {given}).", given=str(threshold)),
            "",
            m("Give a share, such as 0.02 for 2 %."),
        )
    wide = BETWEEN_RUNS if between_runs is None else between_runs
    if not 0 <= wide < 10:
        raise UsageError(
            m("The difference between runs must be a share (got {given}).", given=str(wide)),
            "",
            m("Give a share, such as 0.1 for 10 %."),
        )
    predicts = any(cycle.source is Source.PREDICTED for cycle in (a, b))
    logs = rounds(a.samples.uninstrumented, b.samples.uninstrumented)
    interleaved = len(logs) > 0 and _same_machine(a, b) and not predicts
    # How far two measurements lie apart is a part of the errors that a prediction was found to have.
    between = 0.0 if interleaved or predicts else wide
    wall_a, wall_b = _wall(a), _wall(b)
    parts = Partitions.of(a, b, between)
    return Comparison(
        a=a,
        b=b,
        ratio=_ratio_of_estimates(wall_a, wall_b)
        if predicts
        else interleaved_ratio(logs)
        if interleaved
        else ratio_apart(a.samples.uninstrumented.wall_ns, b.samples.uninstrumented.wall_ns, between),
        confidence=COVERAGE if predicts else VERDICT_CONFIDENCE,
        threshold=_threshold(a, b) if threshold is None else threshold,
        interleaved=interleaved,
        stages=parts.stages(),
        layers=parts.layers(),
        kinds=parts.kinds(),
        operations=parts.operations(),
        differences=differences(a, b),
        wall_a=wall_a,
        wall_b=wall_b,
        between_runs=between,
        attributed_a_ns=parts.a.total_ns if parts.known else 0.0,
        attributed_b_ns=parts.b.total_ns if parts.known else 0.0,
        noise_beyond_use=_noise_beyond_use(a, b) if threshold is None else 0.0,
    )


def _wall(cycle: Cycle) -> Estimate:
    samples = cycle.samples.uninstrumented.wall_ns
    return scenario_estimate(samples) if cycle.source is Source.PREDICTED else median_estimate(samples)


def _ratio_of_estimates(a: Estimate, b: Estimate) -> Ratio:
    """B ÷ A where either was predicted: errors of the two are taken for independent, which is the wider assumption."""
    ratio = part_ratio(a, b, 0.0)
    assert ratio is not None  # both take time, or they could not be compared
    return ratio


def _threshold(a: Cycle, b: Cycle) -> float:
    """One per cent, or the noise floor that calibrating either machine has found."""
    known = [cycle.machine.ceilings.usable_noise for cycle in (a, b) if cycle.machine.ceilings is not None]
    return max([_LEAST_THRESHOLD, *(noise.value for noise in known if noise is not None)])


def _noise_beyond_use(a: Cycle, b: Cycle) -> float:
    known = (cycle.machine.ceilings for cycle in (a, b))
    return max(0.0 if ceilings is None else ceilings.noise_beyond_use for ceilings in known)


def _same_machine(a: Cycle, b: Cycle) -> bool:
    return all(getattr(a.machine, name) == getattr(b.machine, name) for name in ("processor", "cores", "system"))


def require_comparable(a: Cycle, b: Cycle) -> None:
    """Raise `UsageError`, with why, unless the times of `a` and `b` can stand on one scale."""
    for letter, cycle in (("A", a), ("B", b)):
        n = len(cycle.samples.uninstrumented)
        if not n or int(cycle.samples.uninstrumented.wall_ns.min()) <= 0:
            raise UsageError(
                m("Cycle {letter} ({model}) has no wall time.", letter=letter, model=cycle.workload.model.reference),
                m("It has no uninstrumented run."),
                m("Measure it again."),
            )
        if cycle.partial and n < LEAST_SAMPLES:
            raise UsageError(
                m(
                    "Cycle {letter} ({model}) must have at least {least} uninstrumented runs (got {n}).",
                    letter=letter,
                    model=cycle.workload.model.reference,
                    least=LEAST_SAMPLES,
                    n=n,
                ),
                m("It was interrupted, and fewer runs give no interval."),
                m("Measure it again, to the end."),
            )
    out_a, out_b = a.workload.tokens_out, b.workload.tokens_out
    if bool(out_a) != bool(out_b):
        writes, passes = ("A", "B") if out_a else ("B", "A")
        raise UsageError(
            m(
                "Cycle {writes} writes {tokens} tokens, cycle {passes} is one forward pass.",
                writes=writes,
                tokens=out_a or out_b,
                passes=passes,
            ),
            m("The first runs the model once for every token, the second once."),
            m("Give both the same --new-tokens, or none."),
        )
    if out_a != out_b:
        raise UsageError(
            m("A and B must write the same number of tokens (got {a} and {b}).", a=out_a, b=out_b),
            m("The time of a generation grows with the tokens it writes."),
            m("Give both the same --new-tokens."),
        )


def differences(a: Cycle, b: Cycle) -> tuple[Difference, ...]:
    """What is not the same about `a` and `b` besides their times, the model first."""
    values = [_aspects(cycle) for cycle in (a, b)]
    found = [Difference(aspect, x, values[1][aspect]) for aspect, x in values[0].items() if x != values[1][aspect]]
    packages = [dict(cycle.machine.packages) for cycle in (a, b)]
    for name in dict.fromkeys((*packages[0], *packages[1])):
        versions = [known.get(name, "") for known in packages]
        if versions[0] != versions[1]:
            found.append(Difference(Aspect.PACKAGE, versions[0], versions[1], name))
    return tuple(found)


def _aspects(cycle: Cycle) -> dict[Aspect, str]:
    work, plan, machine = cycle.workload, cycle.plan, cycle.machine
    return {
        Aspect.MODEL: work.model.reference,
        Aspect.WEIGHTS: work.model.weights.value,
        Aspect.TASK: work.task,
        Aspect.BATCH: str(work.batch or "unknown"),
        Aspect.TOKENS_IN: str(work.tokens_in) if work.unit is InputUnit.TOKENS else work.shape,
        Aspect.CHARACTERS: str(work.characters),
        Aspect.ENGINE: plan.engine,
        Aspect.DEVICE: plan.device,
        Aspect.THREADS: str(plan.threads),
        Aspect.DTYPE: plan.dtype,
        Aspect.ATTENTION: plan.attention,
        Aspect.SEED: str(plan.seed),
        Aspect.CACHE: plan.cache,
        Aspect.DECODING: plan.decoding,
        Aspect.COMPILING: plan.compiling,
        Aspect.QUANTIZATION: plan.quantization,
        Aspect.CHANGES: ", ".join(f"{change.name} {change.amount:g}" for change in plan.changes),
        Aspect.THREADS_BETWEEN: str(plan.threads_between),
        Aspect.INSTANCES: str(plan.instances),
        Aspect.CALL_BATCH: str(plan.batch),
        Aspect.BATCHING: plan.batching,
        Aspect.DRAFTING: plan.drafting,
        Aspect.OVERLAP: str(plan.overlap).lower(),
        Aspect.TENSOR: str(plan.tensor),
        Aspect.PIPELINE: str(plan.pipeline),
        Aspect.DATA: str(plan.data),
        Aspect.MICROBATCHES: str(plan.microbatches),
        Aspect.PROCESSOR: machine.processor,
        Aspect.CORES: str(machine.cores)
        if machine.quota_cores is None
        else f"{machine.cores} ({machine.quota_cores:g})",
        Aspect.SYSTEM: machine.system,
        Aspect.PYTHON: machine.python,
        Aspect.VERSION: cycle.version,
        Aspect.SOURCE: cycle.source.value,
    }
