"""A stack of layers as columns on one scale, with their median."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Series, Text, m
from cyclescope.explaining.explanation import LayerRow
from cyclescope.explaining.siblings import unlike_layers
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import ColumnShape, column_shape, height_of
from cyclescope.report.naming.between import between
from cyclescope.report.naming.stages import stage_name

# Beyond this many, the heaviest of each few neighbours stands for them.
MOST_COLUMNS = 200
# Every layer is numbered up to here; beyond, every second, fifth, …
_NUMBERED = 16


@dataclass(frozen=True, slots=True)
class LayerColumn:
    """One layer. `label` is its number where there is room for it; `unlike` marks a layer that differs from the others."""

    shape: ColumnShape
    whisker: bool
    label: str
    spoken: Text
    unlike: bool


@dataclass(frozen=True, slots=True)
class LayerColumns:
    """The layers of one stack on a scale that ends at `top_ns`; each column is the heaviest of `grouped` neighbours. `terms`
    are the definitions that the drawing offers.
    """

    label: Text
    top_ns: float
    median_y: str
    columns: tuple[LayerColumn, ...]
    grouped: int = 1
    terms: tuple[str, ...] = ("layers",)


def layer_columns(stage: str, rows: Sequence[LayerRow], graph: Graph, *, predicted: bool = False) -> LayerColumns:
    """The drawing of the layers `rows` of `stage`; what marks a layer rests on runs, which a `predicted` cycle has none of."""
    top = max(row.time.high_ns for row in rows)
    median = statistics.median(row.time.value_ns for row in rows)
    unlike = {layer.row.index for layer in unlike_layers(rows)}
    few = -(-len(rows) // MOST_COLUMNS)
    chosen = [max(rows[k : k + few], key=lambda row: row.time.value_ns) for k in range(0, len(rows), few)]
    # Numbers must not run into each other.
    every = next(step for step in (1, 2, 5, 10, 20, 50) if len(chosen) <= step * _NUMBERED)
    columns = tuple(
        LayerColumn(
            column_shape(k, len(chosen), row.op_ns, row.python_ns + row.native_ns, row.time, top),
            fmt.has_interval(row.time),
            str(row.index) if k % every == 0 else "",
            _spoken(stage, row, graph),
            row.index in unlike,
        )
        for k, row in enumerate(chosen)
    )
    terms = () if predicted else ("layers",)
    return LayerColumns(stage_name(stage), top, height_of(median, top), columns, few, terms)


def _spoken(stage: str, row: LayerRow, graph: Graph) -> Text:
    return m(
        "{name}: {time} {interval}, of which {python} in {between}",
        name=Series((stage_name(stage), str(row.index)), " "),
        time=fmt.time(row.time.value_ns),
        interval=fmt.plus_minus(row.time),
        python=fmt.time(row.python_ns),
        between=between(graph),
    )
