"""Product traffic: copies, changes of layout and biases right before and after matrix products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import AnyArray
from cyclescope.explaining.findings.cache import reallocations
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# A fiftieth: an eager encoder has 1 % of it in every layer, for the heads that it puts together again.
_LEAST = 0.02


def product_traffic(facts: Facts) -> Iterator[Finding]:
    """Found where it takes a fiftieth of the cycle; products that take and give what their neighbours need have none.

    Copies of the growing cache and the passes over written-out scores are separate findings.
    """
    edges, products = facts.graph.dependencies, facts.products
    data = edges.carries_data == 1
    source, target = edges.source[data], edges.target[data]
    after, before = np.zeros(len(facts.graph), dtype=bool), np.zeros(len(facts.graph), dtype=bool)
    after[target[products[source]]] = True
    before[source[products[target]]] = True
    copies = facts.of_kind(OpKind.COPY) & (after | before)
    copies[reallocations(facts)] = False
    biases = _biases(facts, after)
    mask = copies | biases
    share = facts.share(facts.time_of(mask))
    if share < _LEAST:
        return
    op = facts.costliest(mask)
    parts = ((EvidenceName.COPIES, copies), (EvidenceName.BIASES, biases))
    evidence = (
        *(Evidence(name, Quantity.SHARE, facts.share(facts.time_of(part))) for name, part in parts if part.any()),
        Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, int(np.count_nonzero(mask))),
        Evidence(EvidenceName.MOVED, Quantity.BYTES, int(facts.moved_bytes[mask].sum()), op),
    )
    yield Finding(FindingCode.PRODUCT_TRAFFIC, share, share, evidence, facts.place(op))


def _biases(facts: Facts, after_product: AnyArray) -> AnyArray:
    """Mask of the additions of a vector of the model to what a product has made."""
    graph = facts.graph
    vectors = np.fromiter(
        (spec.role is TensorRole.PARAMETER and len(spec.shape) == 1 for spec in graph.tensors),
        np.bool_,
        len(graph.tensors),
    )
    reader = np.repeat(np.arange(len(graph)), np.diff(graph.input_offsets))
    reads_vector = np.zeros(len(graph), dtype=bool)
    reads_vector[reader[vectors[graph.inputs]]] = True
    mask: AnyArray = after_product & reads_vector & facts.of_kind(OpKind.ELEMENTWISE)
    return mask
