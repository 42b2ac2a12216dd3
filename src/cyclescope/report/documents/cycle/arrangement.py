"""Dependencies and the critical path, as part of the document about a cycle."""

from __future__ import annotations

import math

from cyclescope.explaining.arrangement import Arrangement, Part
from cyclescope.explaining.chain import Stretch
from cyclescope.report.documents import schema as doc


def arrangement_document(told: Arrangement) -> doc.ArrangementReport:
    """`told` as part of the public document."""
    shares = told.processor_share
    return doc.ArrangementReport(
        work_ns=told.work_ns,
        span_ns=told.span_ns,
        parallelism=told.parallelism,
        python_ns=told.python_ns,
        at_best=told.reachable(told.span_ns),
        threads=told.threads,
        busy_cores=told.busy_cores,
        python_cores=told.python_cores,
        stages=[_part_document(part) for part in told.stages],
        layers=[_part_document(part) for part in told.layers],
        schedules=[
            doc.ScheduleReport(
                workers=schedule.workers,
                makespan_ns=schedule.makespan_ns,
                at_best=told.reachable(schedule.makespan_ns),
            )
            for schedule in told.schedules
        ],
        path=told.path.tolist(),
        chain=[
            doc.ChainRound(
                times=turn.times,
                stretches=[_stretch_document(stretch) for stretch in turn.stretches],
            )
            for turn in told.chain
        ],
        slack_ns=told.slack_ns.tolist(),
        processor_shares=None if shares is None else [None if math.isnan(x) else x for x in shares.tolist()],
    )


def _part_document(part: Part) -> doc.ArrangementPart:
    return doc.ArrangementPart(
        stage=part.stage,
        layer=part.layer,
        work_ns=part.work_ns,
        span_ns=part.span_ns,
        parallelism=part.parallelism,
        processor_share=part.processor_share,
    )


def _stretch_document(stretch: Stretch) -> doc.ChainStretch:
    return doc.ChainStretch(
        stage=stretch.stage,
        first_layer=stretch.first_layer,
        last_layer=stretch.last_layer,
        repeats=stretch.repeats,
        time_ns=stretch.time_ns,
        links=[doc.ChainLink(places=list(link.places), time_ns=link.time_ns) for link in stretch.links],
    )
