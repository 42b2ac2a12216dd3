"""Spans for the viewers of other tools, which draw nonsense or refuse where two overlap without nesting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyclescope.explaining.explanation import Span


def nested(spans: Sequence[Span]) -> tuple[Span, ...]:
    """`spans` in order of time, parents before children, each within its parent and after its elder sibling.

    Whatever reaches out is cut to fit, and depths are numbered without gaps; spans that nest already stay as they are.
    Spans that begin together keep the order in which they are given.
    """
    result: list[Span] = []
    above: list[tuple[int, int]] = []  # (depth as given, end) of the open spans
    free_from = 0  # where the next span may begin
    for span in sorted(spans, key=lambda span: span.start_ns):
        while above and (above[-1][0] >= span.depth or above[-1][1] < span.start_ns):
            free_from = max(free_from, above.pop()[1])
        start = max(span.start_ns, free_from)
        end = max(start, span.start_ns + max(span.duration_ns, 0))
        if above:
            start, end = min(start, above[-1][1]), min(end, above[-1][1])
        result.append(replace(span, start_ns=start, duration_ns=end - start, depth=len(above)))
        above.append((span.depth, end))
        free_from = start
    return tuple(result)


def label(span: Span) -> str:
    """What a viewer writes on a span: the operation's name, the module's class and path, or `Python`."""
    if span.kind == "python":
        return "Python"
    return f"{span.name} {span.module}" if span.kind == "frame" and span.module else span.name
