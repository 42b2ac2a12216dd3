"""The document about the ceilings of a machine: what `cyclescope calibrate --json` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from cyclescope.core import ceilings as core
from cyclescope.machines.fingerprint import Trait
from cyclescope.predicting.fitted import FittedModels, errors_by_family, errors_of
from cyclescope.predicting.fused.fitted import StoredEngine
from cyclescope.report.documents.figures import Document, DocumentPart, Sourced, Text, schema_field, sourced
from cyclescope.report.pages.calibration import Calibration


class Product(DocumentPart):
    """Matrix products of one dtype and shape."""

    dtype: Text
    rows: int = Field(description="smallest of the three dimensions; 1: a matrix-vector product")
    threads: int = Field(description="0: the whole device")
    rate: Sourced = Field(description="FLOP/s, operands in cache")


class Bandwidth(DocumentPart):
    """Moving data from one level of the memory."""

    level: Text = Field(description="L1, L2, L3 or memory")
    capacity_bytes: int = Field(description="bytes that it holds, of a private cache those of one core; memory: 0")
    threads: int = Field(description="0: the whole device")
    rate: Sourced = Field(description="B/s")


class Overheads(DocumentPart):
    """Least times of the engine, in s; null where there is none or it was not measured."""

    dispatch: Sourced | None = Field(description="dispatching one operation")
    module_call: Sourced | None = Field(description="calling one module in Python")
    launch: Sourced | None = Field(description="launching one kernel on a device")


class Ceilings(DocumentPart):
    """What is known about the limits of one machine under one engine."""

    origin: core.Origin
    machine: Text = Field(description="processor or device")
    engine: Text = Field(description="empty for a datasheet")
    taken_at: Text = Field(description="UTC, ISO 8601; for a datasheet: when it was read")
    products: list[Product]
    bandwidths: list[Bandwidth]
    overheads: Overheads
    noise: Sourced | None = Field(description="half width of the 95 % interval of an A/A comparison, as a share")
    fingerprint: Text = Field(description="traits that the ceilings depend on, one a line; empty for a datasheet")


class ChangedTrait(DocumentPart):
    """A trait of the machine that is not what it was; an empty side is unknown."""

    trait: Trait
    before: Text
    now: Text


class LearnedFamily(DocumentPart):
    """Workloads of one family, and how far the timing models were off on them without having seen the family."""

    family: Text
    workloads: int = Field(description="how many were measured")
    roofline: float = Field(description="mean of |predicted - measured| / measured of the plain roofline")
    learned: float = Field(description="the same of the learned timing model")
    hybrid: float = Field(description="the same of the hybrid timing model")


class LearnedModels(DocumentPart):
    """The timing models that were fitted on this machine."""

    path: Text | None = Field(description="file that they are stored in; null where they are not")
    taken_at: Text = Field(description="UTC, ISO 8601")
    version: Text = Field(description="cyclescope that fitted them")
    stale: bool = Field(description="whether they are of another machine, engine, version or calibration")
    workloads: int = Field(description="how many were measured")
    planned: int = Field(description="workloads that a whole learning measures")
    repeat_error: float | None = Field(
        description="mean relative difference between the first and the last runs of a workload; smaller differences mean nothing"
    )
    roofline: float = Field(
        description="mean of |predicted - measured| / measured over all workloads, of the plain roofline"
    )
    learned: float = Field(description="the same of the learned timing model, on families that were kept out")
    hybrid: float = Field(description="the same of the hybrid timing model, on families that were kept out")
    families: list[LearnedFamily]


class ModelErrors(DocumentPart):
    """How far one timing model was off on models of families that it had not seen."""

    timing_model: Text = Field(description="roofline: the plain one; else as --model names it")
    mean_error: float = Field(
        description="mean of |predicted - measured| / measured; of a timing model about the median error of all workloads"
    )


class EngineFamily(DocumentPart):
    """Workloads of one family on an engine, and the errors on them."""

    family: Text
    workloads: int = Field(description="how many were measured")
    errors: list[ModelErrors]


class LearnedEngine(DocumentPart):
    """The timing models of an engine that runs a model as a whole, as they were fitted on this machine."""

    engine: Text
    path: Text | None = Field(description="file that they are stored in; null where they are not")
    taken_at: Text = Field(description="UTC, ISO 8601")
    version: Text = Field(description="cyclescope that fitted them")
    stale: bool = Field(description="whether they are of another machine, engine, version or calibration")
    changed: list[ChangedTrait]
    workloads: int = Field(description="how many were measured")
    planned_models: int = Field(description="models that a whole learning measures")
    refused: list[Text] = Field(description="models that the engine does not take")
    repeat_error: float | None = Field(
        description="mean relative difference between the first and the last runs of a workload; smaller differences mean nothing"
    )
    errors: list[ModelErrors] = Field(description="over all workloads, on families that were kept out")
    families: list[EngineFamily]


class CalibrationDocument(Document):
    """The ceilings of a machine, and whether they are still valid."""

    schema_: Literal["cyclescope/calibration-report/2"] = schema_field("cyclescope/calibration-report/2")
    machine: Text
    ceilings: Ceilings | None = Field(description="null where none are known")
    path: Text | None = Field(description="file that they are stored in; null where they are not")
    fresh: bool | None = Field(description="whether they are valid here and now; null where that was not checked")
    age_days: float | None = Field(description="days since they were measured; null where unknown")
    changed: list[ChangedTrait]
    other_busy: float | None = Field(
        description="share of the cores that other processes used while they were measured"
    )
    quieter: Text | None = Field(description="date of stored ceilings that had less noise and stay stored instead")
    broken: list[Text] = Field(description="files of ceilings that cannot be read")
    learned: LearnedModels | None = Field(description="null where nothing was learned")
    engines: list[LearnedEngine] = Field(description="what was learned of other engines")


def calibration_document(found: Calibration) -> CalibrationDocument:
    """`found` as the public document."""
    freshness = found.freshness
    return CalibrationDocument.of(
        found,
        ceilings=_ceilings(found.ceilings) if found.ceilings is not None else None,
        path=str(found.path) if found.path is not None else None,
        fresh=freshness.fresh if freshness is not None else None,
        age_days=freshness.age_days if freshness is not None else None,
        changed=freshness.changed if freshness is not None else [],
        other_busy=found.load.other_busy if found.load is not None else None,
        quieter=found.quieter.taken_at if found.quieter is not None else None,
        broken=[error.fact for error in (*found.broken, *found.unread)],
        learned=learned_models(found.learned, found.learned_path, stale=found.learned_stale)
        if found.learned is not None
        else None,
        engines=[_engine(stored) for stored in found.engines],
    )


def _engine(stored: StoredEngine) -> LearnedEngine:
    fitted = stored.fitted

    def errors(family: str | None = None) -> list[ModelErrors]:
        means = fitted.mean_errors(family)
        return [ModelErrors(timing_model=kind, mean_error=mean) for kind, mean in zip(fitted.kinds, means, strict=True)]

    return LearnedEngine(
        engine=fitted.engine,
        path=str(stored.path) if stored.path is not None else None,
        taken_at=fitted.taken_at,
        version=fitted.version,
        stale=stored.stale,
        changed=[ChangedTrait.of(change) for change in stored.changed],
        workloads=len(fitted.cycles),
        planned_models=fitted.planned,
        refused=[each.name for each in fitted.refused],
        repeat_error=fitted.repeat_error,
        errors=errors(),
        families=[
            EngineFamily(
                family=family,
                workloads=sum(cycle.family == family for cycle in fitted.cycles),
                errors=errors(family),
            )
            for family in fitted.families
        ],
    )


def learned_models(models: FittedModels, path: Path | None, *, stale: bool) -> LearnedModels:
    """`models`, which stand in the file `path`, as a part of a document."""
    whole = errors_of(models.cases)
    return LearnedModels(
        path=str(path) if path is not None else None,
        taken_at=models.taken_at,
        version=models.version,
        stale=stale,
        workloads=len(models.cases),
        planned=models.planned,
        repeat_error=models.repeat_error,
        roofline=whole.roofline,
        learned=whole.learned,
        hybrid=whole.hybrid,
        families=[
            LearnedFamily(
                family=family,
                workloads=each.workloads,
                roofline=each.roofline,
                learned=each.learned,
                hybrid=each.hybrid,
            )
            for family, each in errors_by_family(models.cases)
        ],
    )


def _ceilings(known: core.Ceilings) -> Ceilings:
    overheads = known.overheads
    return Ceilings.of(
        known,
        products=[Product.of(product, rate=sourced(product.flops_per_s, "FLOP/s")) for product in known.products],
        bandwidths=[Bandwidth.of(level, rate=sourced(level.bytes_per_s, "B/s")) for level in known.bandwidths],
        overheads=Overheads(
            dispatch=sourced(overheads.dispatch_ns, "s", 1e-9),
            module_call=sourced(overheads.module_call_ns, "s", 1e-9),
            launch=sourced(overheads.launch_ns, "s", 1e-9),
        ),
        noise=sourced(known.noise, "1"),
    )
