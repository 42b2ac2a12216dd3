"""How much of the weights that a decode step reads are those of the head."""

from __future__ import annotations

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.structure import HEAD
from cyclescope.core.graph.tensor import TensorRole


def head_share(graph: Graph) -> float:
    """Bytes of the head's parameters ÷ bytes of all parameters, of those that decode steps read; 0 where there are none.

    Of a table of embeddings only the rows count that are read.
    """
    reads = graph.read_entries
    sizes = np.where(graph.of_role(TensorRole.PARAMETER), graph.tensor_bytes, 0)[reads.tensor]
    read = np.minimum(np.bincount(reads.op, sizes, minlength=len(graph)), graph.read_bytes)
    read[graph.slots.step[graph.slots.of_op] <= 0] = 0
    whole = float(read.sum())
    return float(read[graph.op_stage.where(lambda stage: stage == HEAD)].sum()) / whole if whole else 0.0
