"""The place of an operation: where it stands within its layer, the same in every layer and step."""

from __future__ import annotations

import numpy as np

from cyclescope.core.graph.columns import Labels, numbered
from cyclescope.core.graph.graph import Graph


def places(graph: Graph) -> Labels:
    """The place of every operation [n], in order of first appearance: stage, path within the layer, operation."""
    of_frame, paths = numbered(_paths(graph))
    names = Labels.of(graph.names)
    keys = np.stack([graph.op_stage.numbers, of_frame[graph.op_frame], names.numbers])
    widths = (max(1, len(graph.op_stage.names)), len(paths), max(1, len(names.names)))
    cells, number = np.unique(np.ravel_multi_index(tuple(keys), widths), return_inverse=True)
    texts = [
        " · ".join(part for part in (graph.op_stage.names[stage], paths[path], names.names[name]) if part)
        for stage, path, name in zip(*(column.tolist() for column in np.unravel_index(cells, widths)), strict=True)
    ]
    # Two different triples may read the same.
    same, distinct = numbered(texts)
    return Labels(same[number], tuple(distinct)).in_order


def _paths(graph: Graph) -> list[str]:
    """Path of every frame within its layer [frames]; where there is no layer, the whole path."""
    prefix: dict[int, str] = {}
    paths = []
    for k, frame in enumerate(graph.frames):
        if frame.layer is not None:
            prefix[k] = prefix.get(frame.parent, frame.module)
        paths.append(frame.module.removeprefix(prefix[k]).lstrip(".") if k in prefix else frame.module)
    return paths
