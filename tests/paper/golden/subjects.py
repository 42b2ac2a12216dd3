"""What the recorded outputs are of: for every page a few values on paper, with their hosts, dates and versions fixed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import paper_fitted_engine
from optimizing import optimizations
from paper_calibration import CEILINGS, NOW, told
from paper_calibration import MACHINE as CALIBRATED
from paper_comparisons import ALL as COMPARISONS
from paper_device import Planted, device_cycle
from paper_dialogue import held
from paper_doctor import REST, TROUBLE
from paper_generation import paper_decoder, paper_generation
from paper_layers import decoder
from paper_models import PAPER_BERT_WORKLOAD, paper_bert, paper_cycle, slot_times
from paper_predictions import ceilings, checked, predicted, predicted_generation, uncertain
from paper_roofline import on_paper_machine, paper_ceilings
from paper_spread import plan, spread
from paper_structures import EVEN, UNEVEN, mixture, step
from paper_texts import COSTS, COUNTS, FAST, SLOW, WITH_CYCLES, run, unlabelled
from paper_trace import paper_trace
from planted import PLANTED, growing_cache, restless, with_ceilings

from cyclescope.calibrating.learning.cluster.kinds import MachineShare
from cyclescope.calibrating.learning.cluster.learn import ClusterLearning, LearnedKind
from cyclescope.core.ceilings import Figure
from cyclescope.core.cycle import Cycle
from cyclescope.core.dialogue import Dialogue
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import Prediction
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Estimate
from cyclescope.core.tokenization import TokenCount
from cyclescope.importing.cycle import imported_cycle
from cyclescope.machines.catalog import find_machine
from cyclescope.machines.doctor import Calibrated, MachineFacts
from cyclescope.machines.fingerprint import freshness
from cyclescope.models.listing import ModelRow, model_rows
from cyclescope.models.packaged import MINILM
from cyclescope.predicting.fitted import FittedModels, LearnedCase
from cyclescope.predicting.learned import LearnedModel
from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Common, Limit, Sweep, SweepRow
from cyclescope.predicting.timing_model import KeptOutErrors
from cyclescope.report.pages.calibration import Calibration

LIMIT = 0.05  # what a comparison is held against
_TEXT = Planted(0, dispatch_ns=100_000, kind=OpKind.TEXT)
_STARVED = [_TEXT, *[Planted(2_000)] * 20]
_WAITING = [_TEXT, *[Planted(90_000)] * 10, Planted(1_000, waits=True, kind=OpKind.REDUCTION), *[Planted(90_000)] * 10]


@dataclass(frozen=True)
class Structure:
    """What `trace` shows: a graph, and of how many tokens."""

    graph: Any
    tokens: int


def encoder() -> Cycle:
    """Six layers, the fourth of them slow."""
    graph = paper_bert(6)
    return paper_cycle(graph, slot_times(graph, slow_layer=3))


def doubtful() -> Cycle:
    """A machine that is restless and busy, with two notes."""
    cycle = restless()
    load = Load(other_busy=0.42, swapped=True, throttled_ns=5_000_000_000)
    return replace(cycle, notes=("The machine went to sleep.",), samples=replace(cycle.samples, load=load))


def spread_decoder() -> Cycle:
    """A rank of the second of two stages, each of four ranks, on three hosts' worth of replicas."""
    return spread(decoder(layers=4), plan(tensor=4, pipeline=2, data=3, microbatches=2), memory_bytes=200_000)


def device(ops: list[Planted], **options: int) -> Cycle:
    return with_ceilings(device_cycle(ops, mark_host_ns=1_500, mark_device_ns=700, **options))


def imported() -> Cycle:
    return replace(imported_cycle(paper_trace(), "paper"), version="0.0.0")


_CYCLES: Mapping[str, Callable[[], Cycle]] = {
    "encoder": encoder,
    "generation": lambda: paper_generation(paper_decoder(4)),
    "generation-encoder": lambda: paper_generation(paper_decoder(3, encoder=True, static=True)),
    "generation-one-token": lambda: paper_generation(paper_decoder(1)),
    "generation-cache": growing_cache,
    "device-starved": lambda: device(_STARVED),
    "device-waiting": lambda: device(_WAITING),
    "device-unclear": lambda: device(_STARVED, held=0),
    "roofline": lambda: on_paper_machine(paper_cycle(paper_bert(2)), paper_ceilings(faster=10.0)),
    "roofline-generation": lambda: on_paper_machine(paper_generation(paper_decoder(2))),
    "experts": lambda: paper_cycle(mixture(EVEN, UNEVEN)),
    "experts-unknown": lambda: paper_cycle(mixture((6, ()))),
    "partial": lambda: paper_cycle(paper_bert(2), runs=0, instrumented=False, partial=True),
    "wall-only": lambda: paper_cycle(paper_bert(2), runs=3, instrumented=False, partial=True),
    "doubtful": doubtful,
    "imported": imported,
    "predicted": predicted,
    "predicted-uncertain": uncertain,
    "predicted-spread": spread_decoder,
    "predicted-generation": lambda: predicted_generation(paper_decoder(9)),
}
# One cause of slowness each, on a machine whose ceilings are known: for reading only, since little else differs.
_FINDINGS: Mapping[str, Callable[[], Cycle]] = {code.value: make for code, make in PLANTED.items()}


def _stale(machine: Any, days: int) -> Calibration:
    return told(freshness=freshness(CEILINGS, machine, "torch", NOW + timedelta(days=days)))


_CALIBRATIONS: Mapping[str, Callable[[], Calibration]] = {
    "fresh": told,
    "changed": lambda: _stale(replace(CALIBRATED, cores=1, processor="Another"), 0),
    "old": lambda: _stale(CALIBRATED, 99),
    "quieter": lambda: told(
        path=None, quieter=replace(CEILINGS, noise=Figure(0.004, 0.003, 0.005, 9, "")), load=Load(other_busy=0.4)
    ),
    "disturbed": lambda: told(ceilings=replace(CEILINGS, noise=Figure(29.9, 1.0, 60.0, 30, "A/A"))),
    "maker": lambda: Calibration("NVIDIA H100 PCIe", find_machine("NVIDIA H100 PCIe")),
    "nothing": lambda: Calibration("unheard of", None),
    "engine": lambda: told(engines=(paper_fitted_engine.stored(),)),
    "engine-stale": lambda: told(engines=(paper_fitted_engine.without_network(),)),
}


def troubled() -> MachineFacts:
    """As many troubles as one machine can have."""
    facts = [TROUBLE[outcome] for outcome in TROUBLE]
    changed = {
        name: value
        for found in facts
        for name, value in vars_of(found.state).items()
        if value != vars_of(REST.state)[name]
    }
    return MachineFacts(
        replace(REST.machine, virtual=True),
        replace(REST.state, **changed),
        Load(0.3, throttled_ns=3_000_000),
        Calibrated(broken=1),
        replace(REST.noise, value=0.05),  # type: ignore[type-var]
    )


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def warned_of() -> Any:
    """Texts with everything that must be known of them."""
    other = run(SLOW, (*COUNTS[:2], TokenCount(66, 2, 0)), 80_000)
    notes = ("The hub could not be reached.",)
    return replace(
        COSTS, runs=(run(replace(FAST, stand_in=True), COUNTS, 80_000), other), longest=60, partial=True, notes=notes
    )


def dialogue(**settings: int) -> Dialogue:
    """A dialogue of three turns, held at a known time."""
    return replace(held(**settings)[0], taken_at="2026-01-02T03:04:05Z", version="0.1.0")


def models() -> tuple[ModelRow, ...]:
    """All architectures as they are listed where no weights are, and one model that has them."""
    rows = [row for row in model_rows({"HF_HOME": "/nowhere", "HF_HUB_CACHE": "/nowhere"}) if row.name != MINILM]
    real = replace(rows[0], name=MINILM, weights=True, description="A real pretrained 6-layer BERT.")
    return (real, *rows)


def cluster() -> ClusterLearning:
    """Two machines that are alike, one of which died; one that was learned apart and died too; and one of another version."""
    errors = KeptOutErrors((), (), "", "")
    learned, hybrid = (LearnedModel(name, (), 0.0, (4,), ("float32",), errors) for name in ("learned", "hybrid"))
    models = FittedModels(
        CEILINGS.fingerprint, "torch", "2026-11-30T07:00:00Z", "0.1.0", 1, CEILINGS, learned, hybrid,
        (
            LearnedCase("00-bert-1x24", "bert", 4e6, 12, 0.3, 0.05, -0.04),
            LearnedCase("01-llama-1x64", "llama", 9e6, 8, 0.2, -0.06, 0.05),
            LearnedCase("02-gpt2-1x32", "gpt2", 6e6, 9, 0.4, 0.08, 0.03),
        ), 4, 0.02, 0.01, ("node-1", "node-2"),
    )  # fmt: skip
    died = m("The machine, or Ray on it, died.")
    machines = MachineShare("node-1", 2), MachineShare("node-2", 1, died)
    left_out = (("03-t5-1x16+4", m("It needs more memory than there is.")),)
    kinds = (
        LearnedKind(CEILINGS.fingerprint, machines, 4, models, Path("/home/me/torch-1.learned"), left_out=left_out),
        LearnedKind(
            CEILINGS.fingerprint, (MachineShare("node-3", 1, died),), 4,
            why=m("It was interrupted, or the budget was too small."), missing=("01-llama-1x64", "02-gpt2-1x32", "03-t5-1x16+4"),
        ),
    )  # fmt: skip
    unable = (("node-4", m("cyclescope {theirs} is installed there, {ours} here.", theirs="0.0.9", ours="0.1.0")),)
    apart = m(
        "{machine} is learned apart from {other}, though both look alike: {what} is {ratio} times that of {other}.",
        machine="node-3", other="node-1", what=m("bandwidth of {level}", level="memory"), ratio="0.62",
    )  # fmt: skip
    return ClusterLearning(kinds, unable, (apart,))


def what_if() -> Sweep:
    """A decode step over batch and cache on paper: it turns to compute, its largest points do not fit and lie outside of what
    was seen, and its last but one is hardly faster than the one before.
    """
    far = m("{n} sequences at once", n=64)
    rows = tuple(
        SweepRow(
            (Setting("batch", batch), Setting("cache", cache)), Estimate(ns, 0.9 * ns, 1.2 * ns, 41), batch, batch,
            ((Limit.COMPUTE, share), (Limit.MEMORY, 0.9 - share), (Limit.OVERHEAD, 0.1)), held, held <= 80_000_000_000, most,
            *((1.5, (far,)) if batch >= 64 else ()),
        )
        for batch, cache, ns, share, held, most in (
            (1, 1024, 5e6, 0.1, 17_000_000_000, 480), (1, 8192, 5.5e6, 0.2, 18_000_000_000, 60),
            (64, 1024, 7e6, 0.3, 25_000_000_000, 480), (64, 8192, 12e6, 0.6, 84_000_000_000, 60),
            (70, 1024, 7.6e6, 0.32, 26_000_000_000, 480), (70, 8192, 13e6, 0.6, 92_000_000_000, 60),
        )
    )  # fmt: skip
    fixed = (Setting("bandwidth", 2.0), Setting("weights", "int8"))
    made = Prediction(
        "analytic", unseen=40, mean_error=0.07, errors_on="cycles on paper", errors_source="paper", shift=1.2
    )
    names = ("batch", "cache")
    model = replace(PAPER_BERT_WORKLOAD.model, reference="paper-llama", class_name="LlamaForCausalLM")
    plan = Plan(device="cuda", threads=0, dtype="bfloat16", attention="sdpa")
    workload = replace(PAPER_BERT_WORKLOAD, task="text-generation", tokens_in=1, batch=70)
    common = Common.of(workload, plan, 8192, names, step=True)
    return Sweep(model, "Paper GPU", 80_000_000_000, names, fixed, True, common, rows, made, ceilings(), ("A note.",))


def many() -> Sweep:
    """An encoder on a processor over more batches than are drawn one by one: throughput hardly grows."""
    rows = tuple(
        SweepRow(
            (Setting("batch", batch),), Estimate(1e6 * batch / (1 + 1e-4 * batch), 0, 0, 1), batch, 128 * batch,
            ((Limit.COMPUTE, 0.9), (Limit.MEMORY, 0.1), (Limit.OVERHEAD, 0.0)), 400_000_000 + batch * 1_000_000, True, 20_000,
        )
        for batch in range(1, 49)
    )  # fmt: skip
    plan = Plan(threads=2, attention="sdpa")
    workload = replace(PAPER_BERT_WORKLOAD, tokens_in=128)
    common = Common.of(workload, plan, None, ("batch",), step=False)
    return Sweep(
        workload.model, "Paper Processor", 24_000_000_000, ("batch",), (), False, common, rows, Prediction("analytic")
    )


# Every page, and of what; the first part of the name says which page it is.
SUBJECTS: Mapping[str, Callable[[], Any]] = {
    **{f"cycle-{name}": make for name, make in _CYCLES.items()},
    **{f"finding-{name}": lambda make=make: with_ceilings(make()) for name, make in _FINDINGS.items()},
    **{
        f"comparison-{name.replace(' ', '-')}": lambda found=found: found
        for name, found in COMPARISONS.items()
        if name != "disturbed"
    },
    "comparison-checked": checked,
    "optimization-found": lambda: optimizations.FOUND,
    "optimization-nothing": lambda: optimizations.NOTHING,
    "optimization-partial": lambda: replace(optimizations.FOUND, partial=True, load=Load(other_busy=0.42)),
    "verification-holds": lambda: optimizations.HOLDS,
    "verification-fails": lambda: optimizations.FAILS,
    "verification-open": lambda: replace(optimizations.OPEN, partial=True),
    "verification-elsewhere": lambda: optimizations.ELSEWHERE,
    "applied-agrees": lambda: optimizations.APPLIED,
    "applied-here": lambda: replace(optimizations.APPLIED, model_here="/a b/model"),
    "applied-differs": lambda: optimizations.OTHER,
    **{f"calibration-{name}": make for name, make in _CALIBRATIONS.items()},
    "cluster-learning": cluster,
    "doctor-rest": lambda: REST,
    "doctor-troubled": troubled,
    "tokens-languages": lambda: COSTS,
    "tokens-cycles": lambda: WITH_CYCLES,
    "tokens-warnings": warned_of,
    "tokens-one": lambda: unlabelled("Where does the time go?"),
    "dialogue-whole": dialogue,
    "dialogue-short": lambda: dialogue(budget_ns=1),
    "dialogue-partial": lambda: dialogue(interrupt_at=6 + 13),
    "structure-encoder": lambda: Structure(paper_bert(2), 16),
    "structure-generation": lambda: Structure(paper_decoder(2), 6),
    "structure-step": lambda: Structure(step(), 128),
    "structure-experts": lambda: Structure(mixture(EVEN, UNEVEN), 6),
    "definitions-all": lambda: None,
    **{f"definitions-{name}": lambda name=name: name for name in ("tpot", "itl", "throughput")},
    "models-all": models,
    "sweep-grid": what_if,
    "sweep-many": many,
}


@cache
def subject(page: str) -> Any:
    """The values of one page, made once."""
    return SUBJECTS[page]()
