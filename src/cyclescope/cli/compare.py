"""`cyclescope compare A B`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cyclescope.cli.comparisons import comparison_result
from cyclescope.cli.cycles import save_run
from cyclescope.cli.deliver import Forms, deliver
from cyclescope.cli.files import require_different, require_places
from cyclescope.cli.gate import EXCEEDED, KEPT, UNKNOWN
from cyclescope.cli.options import Measuring, budget_option, optional
from cyclescope.cli.sides import changes, options_of
from cyclescope.core.errors import Interrupted, UsageError
from cyclescope.core.message import N_, m
from cyclescope.store.recognizing import is_run

if TYPE_CHECKING:
    from cyclescope.core.cycle import Cycle

_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")


def compare(
    a: Annotated[str, typer.Argument(help=N_("Baseline: a saved run, or a model as for measure"), metavar="A")],
    b: Annotated[str, typer.Argument(help=N_("Candidate: likewise; it may be the same model"), metavar="B")],
    *,
    only_a: Annotated[
        list[str] | None, optional(N_("Option of A only, as key=value, such as threads=1; repeatable"), "--a")
    ] = None,
    only_b: Annotated[
        list[str] | None, optional(N_("Option of B only, as key=value, such as threads=2; repeatable"), "--b")
    ] = None,
    fail_if_slower: Annotated[
        str | None,
        optional(
            N_("Exit with 1 if B is slower than A by more than this share (such as 5%), with 2 if unknown, else with 0")
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        optional(N_("Treat smaller differences as equal (default: 1% or the noise floor, whichever is larger)")),
    ] = None,
    between_runs: Annotated[
        str | None,
        optional(N_("Expected run-to-run variation when a saved run is involved (default: 25%)")),
    ] = None,
    measuring: Measuring,
    budget: Annotated[
        float | None,
        budget_option(N_("Measuring time for both together (default: 20s, 60s for generations)")),
    ] = None,
    out_a: Annotated[Path | None, optional(N_("Save the run of A to this file, if it is measured now"))] = None,
    out_b: Annotated[Path | None, optional(N_("Save the run of B to this file, if it is measured now"))] = None,
    forms: Forms,
) -> None:
    """Compare two models or saved runs."""
    limit = None if fail_if_slower is None else percent("--fail-if-slower", fail_if_slower)
    least = None if threshold is None else percent("--threshold", threshold)
    between = None if between_runs is None else percent("--between-runs", between_runs)
    outs = (out_a, out_b)
    for side in (a, b):  # which may be the same
        require_different(*outs, *forms.files, side if is_run(side) else None)
    require_places((*outs, *forms.files), (measuring.text_file,))
    sides = tuple(options_of(measuring, changes(f"--{letter}", own)) for letter, own in (("a", only_a), ("b", only_b)))
    _require_models((a, b), (only_a, only_b), outs)
    cycles = _cycles((a, b), sides, budget, forms.language)
    from cyclescope.explaining.comparison import Limit
    from cyclescope.explaining.comparison import compare as compared

    comparison = compared(*cycles, least, between_runs=between)
    saves = [
        partial(save_run, cycle, out, forms.language)
        for cycle, out in zip(cycles, outs, strict=True)
        if out is not None
    ]
    deliver(comparison_result(comparison, limit), forms, *saves)
    if any(cycle.partial for cycle in cycles) and not all(map(is_run, (a, b))):
        raise Interrupted(m("Interrupted."), m("The report compares what was measured before."))
    if limit is not None:
        codes = {Limit.KEPT: KEPT, Limit.EXCEEDED: EXCEEDED, Limit.UNKNOWN: UNKNOWN}
        raise typer.Exit(codes[comparison.slower_by_more_than(limit)])


def percent(option: str, text: str) -> float:
    """A share written as `5%` or `0.05`. Raises `UsageError`, also for a bare number that could mean either."""
    found = _PERCENT.fullmatch(text)
    value = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not found or value >= (10 if found[2] else 1):
        raise UsageError(
            m("{option} must be a share (got {text}).", option=option, text=text), "", m("Write it as 5% or as 0.05.")
        )
    return value


def _require_models(names: tuple[str, str], own: tuple[object, object], outs: tuple[Path | None, Path | None]) -> None:
    """Refuse what is for a model that is measured now where a saved run is named."""
    for letter, name, mine, out in zip("ab", names, own, outs, strict=True):
        if is_run(name) and (mine or out):
            raise UsageError(
                m("{name} is a saved run.", name=name),
                m("--{letter} and --out-{letter} are for a model that is measured now.", letter=letter),
                m("Name a model instead of the file, or remove these options."),
            )


def _cycles(
    names: tuple[str, str], sides: tuple[Mapping[str, Any], ...], budget: float | None, language: str
) -> tuple[Cycle, Cycle]:
    """Both cycles: read where a file is named, else measured; interleaved where both are."""
    from cyclescope.cli.progress import progress
    from cyclescope.measuring.measure import measure_request
    from cyclescope.measuring.options import request_of
    from cyclescope.measuring.pair import measure_requests
    from cyclescope.store.run_file import load

    if all(map(is_run, names)):
        return load(names[0]), load(names[1])
    requests = [request_of(name, **side) for name, side in zip(names, sides, strict=True)]
    stored = [load(name) if is_run(name) else None for name in names]  # before minutes are spent
    with progress(language) as notify:
        if not any(stored):
            return measure_requests(requests[0], requests[1], budget, notify)
        a, b = (
            found or measure_request(request, budget, notify) for found, request in zip(stored, requests, strict=True)
        )
        return a, b
