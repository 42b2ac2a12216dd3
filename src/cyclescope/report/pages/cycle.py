"""The page about one cycle. The order of its sections stands here, for every medium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cyclescope.core.message import m
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.drawings.lanes import LanesDrawing
from cyclescope.report.drawings.link_targets import NOWHERE
from cyclescope.report.drawings.timeline import MOST_BYTES, Timeline
from cyclescope.report.naming.predicting import is_predicted
from cyclescope.report.page import Page, Section
from cyclescope.report.sections.account import account_section
from cyclescope.report.sections.arrangement import arrangement_section
from cyclescope.report.sections.device import device_section
from cyclescope.report.sections.experts import experts_section
from cyclescope.report.sections.findings import findings_section
from cyclescope.report.sections.flow import flow_section
from cyclescope.report.sections.generation import generation_section
from cyclescope.report.sections.lanes import lanes_section, path_section, ranks_section, steps_section
from cyclescope.report.sections.layers import layers_section
from cyclescope.report.sections.memory import memory_section
from cyclescope.report.sections.opening import opening, warnings_section
from cyclescope.report.sections.places import places_section
from cyclescope.report.sections.reading import reading_section
from cyclescope.report.sections.roofline import roofline_section, what_if_section
from cyclescope.report.sections.set_up import method_section, set_up_section
from cyclescope.report.sections.spread import spread_section
from cyclescope.report.sections.stages import stages_section
from cyclescope.report.sections.timeline import timeline_section

_LEAST_BYTES = 20_000
# What a notebook shows of the page.
IN_A_NOTEBOOK = ("warnings", "stages", "account")


def cycle_page(explanation: Explanation, most_bytes: int = MOST_BYTES) -> Page:
    """What `explanation` says, for any medium. The timeline, which HTML draws, takes about `most_bytes` at most."""
    timeline = Timeline(explanation, most_bytes)

    def smaller(excess: int) -> Page | None:
        least = min(most_bytes, timeline.bytes) - excess
        return cycle_page(explanation, least) if least >= _LEAST_BYTES else None

    return replace(_page(explanation, timeline), smaller=smaller)


def undrawn_cycle_page(explanation: Explanation) -> Page:
    """The same for a medium of text alone: its timeline is not chosen from the spans, which takes longest of a large cycle."""
    return _page(explanation, None)


def _page(explanation: Explanation, timeline: Timeline | None) -> Page:
    cycle = explanation.cycle
    model = cycle.workload.model.reference
    predicted = is_predicted(cycle)
    taken = m("The cycle was taken at {taken_at}.", taken_at=cycle.taken_at)
    if predicted:
        taken = m("The cycle was predicted at {taken_at}.", taken_at=cycle.taken_at)
    title = m("Compute cycle of {model}", model=model)
    if predicted:
        title = m("Predicted compute cycle of {model}", model=model)
    if explanation.lanes is not None:
        title = m("Imported compute cycle of {model}", model=model)
        taken = m("The trace was recorded at {taken_at}.", taken_at=cycle.taken_at)
    return Page(
        title,
        tuple(opening(explanation)),
        tuple(section for section in _sections(explanation, timeline) if section is not None),
        kind="cycle",
        footer=taken if cycle.taken_at else "",
    )


def _sections(explanation: Explanation, timeline: Timeline | None) -> Iterator[Section | None]:
    """Every section in its order; None for one that this cycle has nothing for."""
    cycle, graph = explanation.cycle, explanation.cycle.graph
    links = timeline.links if timeline is not None else NOWHERE
    yield reading_section(explanation.lanes)
    yield warnings_section(explanation)
    yield findings_section(explanation.findings, graph, links)
    yield spread_section(cycle)
    yield generation_section(explanation.generation, graph)
    yield stages_section(explanation)
    yield timeline_section(timeline, predicted=is_predicted(cycle)) if timeline is not None else None
    if explanation.lanes is not None:
        drawing = LanesDrawing(explanation.lanes) if timeline is not None else None
        yield lanes_section(explanation.lanes, drawing)
        yield path_section(explanation.lanes.path)
        yield ranks_section(explanation.lanes.ranks)
        yield steps_section(explanation.lanes)
    yield device_section(explanation.device, recorded=explanation.lanes is not None)
    yield places_section(explanation, links)
    yield roofline_section(explanation, links)
    yield what_if_section(explanation)
    yield layers_section(explanation)
    if explanation.arrangement is not None:
        yield arrangement_section(explanation.arrangement, graph, cycle.machine.cores)
    yield flow_section(explanation) if explanation.lanes is None or graph.tensors else None
    yield account_section(explanation)
    yield experts_section(graph)
    yield memory_section(explanation.memory, graph, links.ops)
    yield set_up_section(explanation)
    yield method_section(explanation)
