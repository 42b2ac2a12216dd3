"""The outcomes of the bar as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bar.record import Interval, Line, Outcome, Race

MOST_BEHIND, GOAL = 1.03, 0.90


def markdown(outcomes: Sequence[Outcome]) -> str:
    """A table of every case, then one of all races."""
    parts = [_case(outcome) for outcome in outcomes]
    return "\n\n".join([*parts, _races(outcomes)]) if outcomes else ""


def _case(outcome: Outcome) -> str:
    rows = [
        "| | × as fast as transformers eager | drift | memory | of the peak | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ran = [line for line in outcome.lines if line.ratio is not None]
    for line in sorted(ran, key=lambda line: line.ratio.value if line.ratio else 0.0):
        name = f"**cyclescope, {line.ours}**" if line.ours else _safe(line.name)
        speed = _interval(line.ratio.inverse()) if line.ratio else ""
        rows.append(
            f"| {name} | {speed} | {_drift(line)} | {line.held_bytes / 1e6:.0f} MB | {_share(line.mfu)} | {_safe(line.said)} |"
        )
    rows += [
        f"| {_safe(f'cyclescope, {line.ours}' if line.ours else line.name)} | – | | | | {_safe(line.reason)} |"
        for line in outcome.lines
        if line.ratio is None
    ]
    told = f"{outcome.date}, {outcome.rounds} rounds, budget {outcome.budget_s:g} s, load {outcome.load:.1f}"
    if outcome.peak_flops_per_s:
        told += f"; calibrated peak of float32 {outcome.peak_flops_per_s / 1e9:.0f} GFLOP/s"
    return f"### {_safe(outcome.case)}\n\n{told}\n\n" + "\n".join(rows)


def _races(outcomes: Sequence[Outcome]) -> str:
    rows = [
        "| case | drift allowed | our plan | best single peer | ours ÷ best | ≤ 1.03 | ≤ 0.90 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {_safe(outcome.case)} | {_limit(race)} | {_safe(race.ours)} | {_safe(race.best)} | {_judged(race)} |"
        for outcome in outcomes
        for race in outcome.races
    ]
    return "### Ours ÷ the best single peer\n\n" + "\n".join(rows)


def _judged(race: Race) -> str:
    if race.ratio is None:
        return "– | | "
    return f"{_interval(race.ratio)} | {_within(race.ratio, MOST_BEHIND)} | {_within(race.ratio, GOAL)}"


def _limit(race: Race) -> str:
    return f"{race.limit:.1e}" if race.limit else "none"


def _drift(line: Line) -> str:
    return "none" if line.same else f"{line.drift:.1e}"


def _share(part: float) -> str:
    return f"{part:.0%}" if part else ""


def _interval(ratio: Interval) -> str:
    return f"{ratio.value:.2f} [{ratio.low:.2f} – {ratio.high:.2f}]"


def _within(ratio: Interval, limit: float) -> str:
    """Whether it keeps to `limit`, as far as the interval can tell; else which way it leans."""
    if ratio.high <= limit:
        return "yes"
    if ratio.low > limit:
        return "**no**"
    return "open, rather yes" if ratio.value <= limit else "open, rather no"


def _safe(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
