"""The document about predictions over a grid: what `cyclescope predict --sweep … --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Limit, Sweep, SweepRow
from cyclescope.report.documents.figures import Document, DocumentPart, Figure, Text, schema_field, time


class Change(DocumentPart):
    """One setting of a point."""

    name: Text
    value: float | int | Text = Field(description="a factor of the machine's figure, a count, or a name")


class Share(DocumentPart):
    """A part of the predicted time by what limits it."""

    limit: Limit
    share: float = Field(description="of the predicted time, 0 to 1")


class WhatIfCommon(DocumentPart):
    """What is run at every point. null for what is swept, and for what a point has not."""

    task: Text
    engine: Text
    device: Text
    dtype: Text | None
    attention: Text | None
    threads: int | None = Field(description="intra-op threads; null on a device too")
    batch: int | None = Field(description="sequences at once")
    tokens: int | None = Field(
        description="of each sequence; null in the decode step of a model without an encoder too"
    )
    cache_length: int | None = Field(
        description="tokens in the KV cache before the decode step; null where there is none"
    )
    new_tokens: int | None = Field(description="that a generation writes; null where nothing is generated")


class WhatIfPoint(DocumentPart):
    """One prediction."""

    settings: list[Change]
    time: Figure = Field(
        description="predicted time of the cycle, or of one decode step; low and high hold `coverage` of such cycles"
    )
    tokens_per_s: float = Field(description="tokens a second: written ones where any are written, else read ones")
    batch: int = Field(description="sequences at once")
    limit: Limit = Field(description="what most of the time is limited by")
    shares: list[Share]
    needed_bytes: int | None = Field(description="memory at the peak: weights, cache, activations; null: unknown")
    fits: bool | None = Field(description="whether the machine has that much; null: unknown")
    most_sequences: int | None = Field(description="largest batch that fits at these lengths; null: unknown")
    widening: float = Field(description="by which factor the interval is wider because of what is outside")
    outside: list[Text] = Field(description="what lies outside of what the timing model has seen")


class WhatIfDocument(Document):
    """Predictions over a grid of settings. Nothing was run."""

    schema_: Literal["cyclescope/what-if/1"] = schema_field("cyclescope/what-if/1")
    model: Text
    machine: Text
    memory_bytes: int | None = Field(description="of the machine; null: unknown")
    timing_model: Text
    coverage: float = Field(description="share of such cycles that an interval is meant to hold")
    unseen: int = Field(description="cycles that the model was not fitted on and was held against; 0: no interval")
    mean_error: float | None = Field(
        description="mean of |predicted − true| ÷ true on cycles that the model was not fitted on; null: unknown"
    )
    swept: list[Text] = Field(description="names of what was varied, the last one fastest")
    fixed: list[Change] = Field(description="what was changed for all points")
    common: WhatIfCommon
    step: bool = Field(description="whether each point is one decode step")
    points: list[WhatIfPoint]
    turns: list[list[Change]] = Field(description="points that are compute-bound behind one that is memory-bound")
    notes: list[Text]


def what_if_document(sweep: Sweep) -> WhatIfDocument:
    """`sweep` as the public document."""
    return WhatIfDocument(
        model=sweep.model.reference,
        machine=sweep.machine,
        memory_bytes=sweep.memory_bytes or None,
        timing_model=sweep.prediction.timing_model,
        coverage=sweep.prediction.coverage,
        unseen=sweep.prediction.unseen,
        mean_error=sweep.prediction.mean_error,
        swept=list(sweep.names),
        fixed=_changes(sweep.fixed),
        common=WhatIfCommon.of(sweep.common),
        step=sweep.step,
        points=[_point(row) for row in sweep.rows],
        turns=[_changes(row.settings) for row in sweep.turns],
        notes=[str(note) for note in sweep.notes],
    )


def _changes(settings: tuple[Setting, ...]) -> list[Change]:
    return [Change.of(change) for change in settings]


def _point(row: SweepRow) -> WhatIfPoint:
    return WhatIfPoint(
        settings=_changes(row.settings),
        time=time(row.wall),
        tokens_per_s=row.tokens_per_s,
        batch=row.batch,
        limit=row.limit,
        shares=[Share(limit=limit, share=share) for limit, share in row.shares],
        needed_bytes=row.needed_bytes or None,
        fits=row.fits,
        most_sequences=row.most_sequences,
        widening=row.widening,
        outside=[str(what) for what in row.outside],
    )
