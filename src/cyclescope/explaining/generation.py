"""What a cycle that wrote text says about itself: its phases, its steps, how they grow, and the metrics of the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import Labels, in_order_of_appearance
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.slots import Slots
from cyclescope.core.graph.structure import PREPARE, READ_OUT, SAMPLE, TOKENIZE
from cyclescope.core.statistics import CONFIDENCE, Estimate, median_estimate, scenario_estimate
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.cache import cache_bytes
from cyclescope.explaining.metrics.dialects import DIALECTS, DialectFigure, evaluate_dialect
from cyclescope.explaining.metrics.metric import Metric, evaluate_all
from cyclescope.explaining.metrics.observed import observe
from cyclescope.explaining.metrics.trend import Trend, theil_sen
from cyclescope.explaining.places import Place

_LEAST_STEPS = 6  # decode steps that a trend needs; a few fit anything


class Phase(StrEnum):
    """The parts of a generation, in order of time. `ENCODE` is the encoder's pass of a model that has one."""

    TOKENIZE = "tokenize"
    PREPARE = "prepare"
    ENCODE = "encode"
    PREFILL = "prefill"
    DECODE = "decode"
    READ_OUT = "read out"


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One phase. `time` = `op_ns` + `python_ns`; the phases add up to the attributed time, and `share` is of that."""

    phase: Phase
    time: Estimate
    share: float
    op_ns: float
    python_ns: float


@dataclass(frozen=True, slots=True)
class StepRow:
    """One call of the model and the choice of a token after it; step 0 is the prefill.

    `position` counts the tokens that the decoder had seen before the one that this step reads (the prefill: 0).
    `time` = `op_ns` + `python_ns`, of which `sample_ns` pass after the forward pass. `gap` is the time from the token
    before to this step's token, unprofiled; None for the prefill. `cache_bytes` is what the step reads of earlier ones.
    """

    step: int
    position: int
    time: Estimate
    op_ns: float
    python_ns: float
    sample_ns: float
    gap: Estimate | None
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """How the time of one place grows over the decode steps: `trend` in ns a position.

    `place` is the same in every layer and step, with the kind of its operations; or only a stage, with `kind` None,
    for the Python time in it. `grown_ns` is the slope times the positions between the first and the last decode step.
    `grows` says that the growth is more than chance would show in one of so many places (Bonferroni, 5 % over all).
    """

    place: Place
    kind: OpKind | None
    trend: Trend
    grown_ns: float
    grows: bool

    @property
    def name(self) -> str:
        """The place as documents call it."""
        return str(self.place)


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything that is derived from a cycle that wrote text.

    `metrics` and `dialects` are of the uninstrumented runs and empty where none was taken; `phases`, `steps` and `growth` are of
    the instrumented runs. `growth` is sorted by slope, the steepest first. Of a `predicted` cycle the runs are scenarios, and what
    other tools would report of them is left out: they report of runs.
    """

    sequences: int
    tokens: int
    metrics: tuple[Metric, ...]
    dialects: tuple[DialectFigure, ...]
    phases: tuple[PhaseRow, ...]
    steps: tuple[StepRow, ...]
    growth: tuple[GrowthRow, ...]
    predicted: bool = False


def generation(cycle: Cycle, attribution: Attribution, places: Sequence[Place]) -> Generation | None:
    """What `cycle` says as a generation; None if it is none. `places` [n] names the place of every operation."""
    observed = observe(cycle)
    steps = int(cycle.graph.slots.step.max(initial=-1)) + 1
    if observed is None and not steps:
        return None
    return Generation(
        sequences=cycle.workload.batch,
        tokens=observed.tokens if observed else steps,
        metrics=evaluate_all(observed) if observed else (),
        dialects=tuple(evaluate_dialect(dialect, observed) for dialect in DIALECTS)
        if observed and not observed.scenarios
        else (),
        phases=_phases(attribution),
        steps=_steps(cycle, attribution, steps, observed.gaps_ns if observed else None),
        growth=_growth(attribution, places, steps),
        predicted=attribution.scenarios,
    )


def phase_of(stage: str, step: int) -> Phase:
    """The phase of what is booked to `stage` and `step`."""
    if step > 0:
        return Phase.DECODE
    if step == 0:
        return Phase.PREFILL
    if stage in (TOKENIZE, PREPARE, READ_OUT):
        return Phase(stage)
    # A forward pass before the first step that writes: the encoder's.
    return Phase.ENCODE


def phase_numbers(slots: Slots) -> IntArray:
    """The phase of every slot [slots], by its position in `Phase`."""
    phases = list(Phase)
    # Asked once for each stage before the first step, in it and after it.
    table = [[phases.index(phase_of(stage, step)) for step in (-1, 0, 1)] for stage in slots.stage.names]
    return np.asarray(table, dtype=np.int64).reshape(-1, 3)[slots.stage.numbers, np.clip(slots.step, -1, 1) + 1]


def _phases(attribution: Attribution) -> tuple[PhaseRow, ...]:
    slots, phases = attribution.graph.slots, list(Phase)
    if not len(attribution.runs_ns):
        return ()
    group = phase_numbers(slots)
    in_ops = slots.op >= 0
    total = attribution.total_ns
    rows = []
    for number, time in enumerate(attribution.estimates(group, len(phases))):
        mine = group == number
        if mine.any():
            op_ns = float(attribution.slot_ns[mine & in_ops].sum())
            share = time.value_ns / total if total else 0.0
            rows.append(PhaseRow(phases[number], time, share, op_ns, time.value_ns - op_ns))
    return tuple(rows)


def _steps(cycle: Cycle, attribution: Attribution, steps: int, gaps: IntArray | None) -> tuple[StepRow, ...]:
    slots = attribution.graph.slots
    if not len(attribution.runs_ns):
        return ()
    inside = slots.step >= 0
    number = slots.step[inside]
    slot_ns = attribution.slot_ns[inside]
    sampling = slots.stage.where(lambda stage: stage == SAMPLE)[inside]
    in_ops = slots.op[inside] >= 0
    op_ns = np.bincount(number, slot_ns * in_ops, minlength=steps)
    sample_ns = np.bincount(number, slot_ns * sampling, minlength=steps)
    read = cache_bytes(attribution.graph, steps)
    prompt = _decoder_prompt(cycle)
    estimated = scenario_estimate if attribution.scenarios else median_estimate
    rows = []
    for k, time in enumerate(attribution.estimates(slots.step, steps)):
        gap = estimated(gaps[:, k - 1]) if gaps is not None and 0 < k <= gaps.shape[1] else None
        rows.append(
            StepRow(
                step=k,
                position=prompt + k - 1 if k else 0,
                time=time,
                op_ns=float(op_ns[k]),
                python_ns=time.value_ns - float(op_ns[k]),
                sample_ns=float(sample_ns[k]),
                gap=gap,
                cache_bytes=int(read[k]),
            )
        )
    return tuple(rows)


def _decoder_prompt(cycle: Cycle) -> int:
    """Tokens that the decoder reads in its first pass: the prompt, or the one start token where an encoder read that."""
    slots = cycle.graph.slots
    encoded = bool((phase_numbers(slots)[slots.of_op] == list(Phase).index(Phase.ENCODE)).any())
    return 1 if encoded else cycle.workload.tokens_in


def _growth(attribution: Attribution, places: Sequence[Place], steps: int) -> tuple[GrowthRow, ...]:
    """Theil–Sen over the decode steps, for every place that all of them have."""
    graph, slots = attribution.graph, attribution.graph.slots
    if steps - 1 < _LEAST_STEPS or not len(attribution.runs_ns):
        return ()
    place, kinds = Labels.of(places), list(OpKind)
    # A place and a kind for each operation, a stage for each stretch of Python after them.
    keys = slots.stage.numbers + len(place.names) * len(kinds)
    keys[slots.of_op] = place.numbers * len(kinds) + graph.kind_number
    group, found = in_order_of_appearance(np.where(slots.step > 0, keys, -1))
    numbers: dict[tuple[Place, OpKind | None], int] = {}
    for number, key in enumerate(found.tolist()):
        at, kind = divmod(key, len(kinds))
        of_op = at < len(place.names)
        python = key - len(place.names) * len(kinds)
        numbers[(place.names[at], kinds[kind]) if of_op else (Place(slots.stage.names[python]), None)] = number
    chosen = group >= 0
    cell = group[chosen] * steps + slots.step[chosen]
    times = np.bincount(cell, attribution.slot_ns[chosen], minlength=len(numbers) * steps).reshape(-1, steps)
    present = np.bincount(cell, minlength=len(numbers) * steps).reshape(-1, steps)
    positions = np.arange(1, steps)
    strict = 1 - (1 - CONFIDENCE) / max(1, len(numbers))
    rows = []
    for (where, kind), number in numbers.items():
        if present[number, 1:].all():
            trend = theil_sen(positions, times[number, 1:])
            grows = trend.has_interval and trend.low > 0 and theil_sen(positions, times[number, 1:], strict).low > 0
            rows.append(GrowthRow(where, kind, trend, trend.slope * (steps - 2), grows))
    return tuple(sorted(rows, key=lambda row: -row.trend.slope))
