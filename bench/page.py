"""Does the page stay fluid? Its size, and the times of Chromium to load it, to zoom, and to move a slider.

    python bench/page.py [--operations N …] [--events N …] [--rounds N] [--chromium PATH]

A BERT on paper, with so many layers that it has about N operations, on a machine with known ceilings. Printed for each:
operations, spans that the timeline draws, size of the page, seconds to explain and to render it; milliseconds until the
page is loaded and everything in it is drawn; milliseconds that the page's scripts take for one step of zoom in the
timeline and for one step of a slider (median and worst of the rounds, drawing included); and the time from frame to
frame while the timeline zooms in every frame (16.7 ms is what a screen of 60 Hz asks for; without a screen Chromium
paints on the processor). For each of --events an imported trace of two ranks on paper with about N events: seconds to assemble,
to explain and to render it, its page, and the same times for the chart of the lanes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "paper"))

from paper_models import paper_bert, paper_cycle
from paper_roofline import on_paper_machine, paper_ceilings
from paper_trace import paper_trace

from cyclescope.explaining.explain import explain
from cyclescope.importing.cycle import imported_cycle
from cyclescope.report.media.html.html import to_html
from cyclescope.report.pages.cycle import cycle_page

# Operations of one layer of the paper BERT, and of what stands around its layers.
_A_LAYER, _AROUND = 16, 7

# Milliseconds from the start of the navigation to the end of the frame in which everything has been drawn.
DRAWN = """addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(() => {
    window.drawnAfter = performance.now();
})));"""

# Steps of `act`, each with what it makes the page draw, in milliseconds.
STEPS = """async ([rounds, act]) => {
    const step = Function('k', act), times = [];
    for (let k = 0; k < rounds; k++) {
        await new Promise(requestAnimationFrame);
        const begin = performance.now();
        step(k);
        // What was asked for is drawn in the next frame, before this callback, which was asked for after it.
        await new Promise(done => requestAnimationFrame(() => { document.body.offsetHeight; done(); }));
        times.push(performance.now() - begin);
    }
    return times;
}"""

# The same, but what counts is the processor time of the scripts: from the begin of a frame's callbacks to their end.
WORK = """async ([rounds, act]) => {
    const step = Function('k', act), times = [];
    for (let k = 0; k < rounds; k++) {
        await new Promise(done => {
            let begin;
            requestAnimationFrame(() => { begin = performance.now(); });  // before the drawing that the step asks for
            step(k);
            requestAnimationFrame(() => { document.body.offsetHeight; times.push(performance.now() - begin); done(); });
        });
    }
    return times;
}"""

ZOOM = "document.querySelector(k % 8 < 4 ? '[data-part=in]' : '[data-part=out]').click()"
SLIDE = (
    "const s = document.querySelector('#what-if-panel [data-part=bandwidth]');"
    "s.value = k % 2 ? 1 : -1; s.dispatchEvent(new Event('input'))"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One page. Times in milliseconds, but of explaining and rendering in seconds."""

    operations: int
    spans: int
    page_bytes: int
    explain_s: float
    render_s: float
    load: float
    zoom: list[float]
    slide: list[float]
    frames: list[float]


def opened(browser: Browser, html: str, path: Path) -> tuple[Page, float]:
    """The page `html`, written to `path`, and the milliseconds until it was drawn."""
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(DRAWN)
    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_function("window.drawnAfter !== undefined")
    return page, float(page.evaluate("window.drawnAfter"))


def look(browser: Browser, operations: int, rounds: int, folder: Path) -> Figures:
    graph = paper_bert(max(1, (operations - _AROUND) // _A_LAYER), hidden=64, vocabulary=100)
    cycle = on_paper_machine(paper_cycle(graph), paper_ceilings(faster=5.0))
    begin = perf_counter()
    explanation = explain(cycle)
    explained = perf_counter()
    html = to_html(cycle_page(explanation))
    rendered = perf_counter()
    page, load = opened(browser, html, folder / f"{operations}.html")
    spans = int(page.evaluate("JSON.parse(document.getElementById('data').textContent).timeline.spans.duration.length"))
    page.locator("#timeline-chart").scroll_into_view_if_needed()
    zoom, frames = work(page, ZOOM, rounds), taken(page, ZOOM, rounds)
    page.locator("#what-if-panel").scroll_into_view_if_needed()
    slide = work(page, SLIDE, rounds)
    page.close()
    return Figures(
        len(graph), spans, len(html.encode()), explained - begin, rendered - explained, load, zoom, slide, frames
    )


LANES_ZOOM = (
    "document.querySelector(k % 8 < 4 ? '#lanes-chart [data-part=in]' : '#lanes-chart [data-part=out]').click()"
)
LANES_PAN = (
    "document.querySelector('#lanes-chart [data-part=stage]').dispatchEvent("
    "new KeyboardEvent('keydown', { key: k % 2 ? 'ArrowLeft' : 'ArrowRight', bubbles: true }))"
)
_A_STEP = 52  # events of one step of the paper trace


def look_at_lanes(browser: Browser, events: int, rounds: int, folder: Path) -> str:
    """A line of figures about the page of an imported trace."""
    trace = paper_trace(2, max(1, events // _A_STEP))
    begin = perf_counter()
    cycle = imported_cycle(trace, "paper")
    assembled = perf_counter()
    explanation = explain(cycle)
    explained = perf_counter()
    html = to_html(cycle_page(explanation))
    rendered = perf_counter()
    page, load = opened(browser, html, folder / f"{events}-events.html")
    page.locator("#lanes-chart").scroll_into_view_if_needed()
    zoom, pan, frames = work(page, LANES_ZOOM, rounds), work(page, LANES_PAN, rounds), taken(page, LANES_ZOOM, rounds)
    page.close()
    times = f"{assembled - begin:>8.2f} {explained - assembled:>8.2f} {rendered - explained:>8.2f} {load:>8.0f}"
    return f"{len(trace.events):>9,} {len(html.encode()) / 1000:>8.0f} {times} {spread(zoom)} {spread(pan)} {spread(frames)}"


def work(page: Page, act: str, rounds: int) -> list[float]:
    return [float(time) for time in page.evaluate(WORK, [rounds, act])]


def taken(page: Page, act: str, rounds: int) -> list[float]:
    return [float(time) for time in page.evaluate(STEPS, [rounds, act])]


def spread(times: list[float]) -> str:
    return f"{statistics.median(times):6.1f} {max(times):6.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--operations", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--events", type=int, nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    chosen = parser.parse_args()
    print(f"{'opera-':>9} {'spans':>7} {'page':>8} {'explain':>8} {'render':>8} {'load':>8}", end="")
    print(f" {'zoom':>13} {'slider':>13} {'frame':>13}")
    print(f"{'tions':>9} {'drawn':>7} {'kB':>8} {'s':>8} {'s':>8} {'ms':>8}", end="")
    print(f" {'median  worst':>13}" * 3 + " ms")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox"])
        for operations in chosen.operations:
            f = look(browser, operations, chosen.rounds, Path(folder))
            print(f"{f.operations:>9,} {f.spans:>7,} {f.page_bytes / 1000:>8.0f}", end="")
            print(f" {f.explain_s:>8.2f} {f.render_s:>8.2f} {f.load:>8.0f}", end="")
            print(f" {spread(f.zoom)} {spread(f.slide)} {spread(f.frames)}", flush=True)
        if chosen.events:
            print(f"\n{'events':>9} {'page kB':>8} {'assemble':>8} {'explain':>8} {'render':>8} {'load ms':>8}", end="")
            print(f" {'zoom':>13} {'pan':>13} {'frame':>13}")
        for events in chosen.events:
            print(look_at_lanes(browser, events, chosen.rounds, Path(folder)), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
