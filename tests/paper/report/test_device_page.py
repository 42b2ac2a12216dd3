"""What the pages and the document say of a device's line of time."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from paper_device import Planted, device_cycle
from paper_html import render
from planted import with_ceilings

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import m
from cyclescope.explaining.device import DeviceLine
from cyclescope.explaining.explain import explain
from cyclescope.report import format as fmt
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.documents.figures import dump
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.media.terminal import to_text
from cyclescope.report.naming.device import pace
from cyclescope.report.page import Block, Note, Paragraph, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.sections.device import device_section
from cyclescope.report.words.translate import say_in

TEXT = Planted(0, dispatch_ns=100_000, kind=OpKind.TEXT)
STARVED = [TEXT, *[Planted(2_000)] * 20]
WAITING = [TEXT, *[Planted(90_000)] * 10, Planted(1_000, waits=True, kind=OpKind.REDUCTION), *[Planted(90_000)] * 10]


def line(ops: list[Planted], **options: int) -> DeviceLine:
    told = explain(device_cycle(ops, **options)).device
    assert told is not None
    return told


def blocks_of(told: DeviceLine) -> tuple[Block, ...]:
    section = device_section(told)
    assert section is not None
    return section.blocks


def paragraphs(told: DeviceLine) -> str:
    return " ".join(str(block.text) for block in blocks_of(told) if isinstance(block, Paragraph))


def cycles() -> list[Cycle]:
    return [with_ceilings(device_cycle(ops, mark_host_ns=1_500, mark_device_ns=700)) for ops in (STARVED, WAITING)]


def test_a_starved_device_is_told_with_its_figures() -> None:
    # 20 kernels of 2 µs; before the first 104 µs for the text and 7 to launch, before each other 6.
    told = line(STARVED)
    text = paragraphs(told)
    assert "The host limits the cycle" in str(pace(told))
    assert "works 40.0 µs (15.1 %) and waits 225 µs (84.9 %)" in str(pace(told))
    assert "20 operations use the device; the device was idle before 20 of them" in text
    assert "In no operation does the host wait" in text


def test_a_host_that_waits_is_told_with_the_operations() -> None:
    told = line(WAITING)
    text = paragraphs(told)
    assert "The device limits the cycle" in str(pace(told))
    assert f"{OpKind.REDUCTION.value} × 1" in text


def test_what_is_not_certain_is_said_and_what_is_certain_is_not_doubted() -> None:
    (note,) = [b for b in blocks_of(line(STARVED, held=0)) if isinstance(b, Note)]
    assert "cannot be separated" in str(note.text)
    assert "given time to run ahead" in str(note.remedy)
    assert not [b for b in blocks_of(line(STARVED)) if isinstance(b, Note)]


def test_rows_add_up_to_the_total() -> None:
    parts = next(b for b in blocks_of(line(WAITING)) if isinstance(b, Table))
    assert parts.total
    assert parts.rows[-1][4] == "100 %"
    shares = [float(str(row[4]).removesuffix(" %")) for row in parts.rows[:-1]]
    assert abs(sum(shares) - 100) < 0.2


def test_the_document_carries_the_columns_and_adds_up() -> None:
    for cycle in cycles():
        told = json.loads(dump(cycle_document(explain(cycle))))["device"]
        assert told["busy_s"] + told["unclear_s"] + told["idle_s"] == pytest.approx(told["span_s"])
        for name in ("busy", "unclear", "idle", "queue"):
            assert len(told[f"operation_{name}_s"]) == len(cycle.graph)
        assert sum(told["operation_idle_s"]) + told["tail_s"] == pytest.approx(told["idle_s"])
        assert told["held_runs"] == 2
    assert (
        json.loads(dump(cycle_document(explain(replace(cycle, samples=replace(cycle.samples, device=None))))))["device"]
        is None
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_medium_tells_it_and_none_speaks_of_python_where_a_device_waits(language: str) -> None:
    say = say_in(language)
    title = say(m("Device activity"))
    for cycle in cycles():
        told = explain(cycle)
        page = cycle_page(told)
        terminal = to_text(page, 80, language=language)
        assert title in terminal
        assert title in to_markdown(page, language)
        html = render(told, lang=language)
        assert 'id="device"' in html
        assert title in html
        assert told.device is not None
        lead = m("A cycle takes {wall}. {pace}", wall=fmt.estimate(told.wall), pace=pace(told.device))
        assert page.blocks[0] == Paragraph(lead, lead=True)
        if language == "en":
            assert "of which the device waits" in " ".join(terminal.split())
            assert "Between operations the device waits" in " ".join(terminal.split())


def test_a_cycle_on_the_processor_has_no_such_section() -> None:
    cycle = cycles()[0]
    told = explain(replace(cycle, samples=replace(cycle.samples, device=None)))
    assert "Device activity" not in to_markdown(cycle_page(told))
    assert 'id="device"' not in render(told)
