"""The place of an operation: where it stands within its layer, the same in every layer and step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.columns import Labels, numbered
from cyclescope.core.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class Place:
    """A stage, a path within a layer of it (or of the whole model) and the operation that is done there.

    Where rows are added up by something wider, the rest is empty: a stage, or an operation of any place.
    """

    stage: str = ""
    path: str = ""
    operation: str = ""

    def __str__(self) -> str:
        """`encode · attention.self.query · linear`, as documents call it."""
        return " · ".join(part for part in (self.stage, self.path, self.operation) if part)


def places(graph: Graph) -> Labels[Place]:
    """The place of every operation [n], in order of first appearance: stage, path within the layer, operation."""
    of_frame, paths = numbered(_paths(graph))
    names = Labels.of(graph.names)
    keys = np.stack([graph.op_stage.numbers, of_frame[graph.op_frame], names.numbers])
    widths = (max(1, len(graph.op_stage.names)), len(paths), max(1, len(names.names)))
    cells, number = np.unique(np.ravel_multi_index(tuple(keys), widths), return_inverse=True)
    found = tuple(
        Place(graph.op_stage.names[stage], paths[path], names.names[name])
        for stage, path, name in zip(*(column.tolist() for column in np.unravel_index(cells, widths)), strict=True)
    )
    return Labels(number, found).in_order


def _paths(graph: Graph) -> list[str]:
    """Path of every frame within its layer [frames]; where there is no layer, the whole path."""
    prefix: dict[int, str] = {}
    paths = []
    for k, frame in enumerate(graph.frames):
        if frame.layer is not None:
            prefix[k] = prefix.get(frame.parent, frame.module)
        paths.append(frame.module.removeprefix(prefix[k]).lstrip(".") if k in prefix else frame.module)
    return paths
