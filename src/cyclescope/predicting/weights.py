"""Weights in fewer bits than the rest: what a quantized model reads, its products computed as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole, bits_of


def with_weights_in(graph: Graph, dtype: str) -> Graph:
    """`graph` with the matrices that its products read stored in `dtype`.

    Each is read once a product as before, with fewer bytes; scales, a hundredth of that, are left out, as is the arithmetic
    of unpacking. Embeddings and vectors stay as they are, as weight-only quantization leaves them.
    """
    product = graph.of_kind(OpKind.MATMUL)
    entries = np.repeat(product, np.diff(graph.input_offsets))
    read = set(graph.inputs[entries].tolist())
    looked_up = set(graph.inputs[np.repeat(graph.of_kind(OpKind.EMBEDDING), np.diff(graph.input_offsets))].tolist())
    storages = {
        spec.storage
        for t in read - looked_up
        if (spec := graph.tensors[t]).role is TensorRole.PARAMETER and len(spec.shape) >= 2 and "float" in spec.dtype
    }
    storages -= {graph.tensors[t].storage for t in looked_up}
    tensors = tuple(
        replace(spec, dtype=dtype) if spec.storage in storages and bits_of(dtype) < bits_of(spec.dtype) else spec
        for spec in graph.tensors
    )
    saved = np.asarray([old.bytes - new.bytes for old, new in zip(graph.tensors, tensors, strict=True)])
    op = np.repeat(np.arange(len(graph)), np.diff(graph.input_offsets))
    less = np.bincount(op[entries], saved[graph.inputs[entries]], minlength=len(graph)).astype(np.int64)
    return replace(graph, tensors=tensors, read_bytes=np.maximum(graph.read_bytes - less, 0))
