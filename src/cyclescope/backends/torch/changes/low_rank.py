"""Large weight matrices as products of two thin ones."""

from __future__ import annotations

from cyclescope.backends.torch.changes.change import Edits, Subject, path_of
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.blocks import attention_blocks, feed_forward_blocks
from cyclescope.core.message import m


def low_rank(subject: Subject, amount: float) -> Edits:
    """Replace each weight matrix of the layers by its best approximation of a rank at which the share `amount` of its
    multiplications is left (truncated singular value decomposition; Eckart and Young, 1936).
    """
    weights: dict[str, None] = {}
    for attention in attention_blocks(subject.graph):
        weights |= dict.fromkeys((attention.query, attention.key, attention.value, attention.output))
    for forward in feed_forward_blocks(subject.graph):
        weights |= dict.fromkeys((*forward.inputs, forward.output))
    if not weights:
        raise Unsupported(m("No weight matrices of layers were found."))
    edits: list[Edit] = []
    rank = 0
    for weight in weights:
        n, k = subject.linear(weight).weight.shape
        rank = max(1, int(amount * n * k / (n + k)))
        edits.append(Edit("factor", path_of(weight), (rank,)))
    return Edits(
        tuple(edits), m("{count} weight matrices factored, the last to rank {rank}", count=len(weights), rank=rank)
    )
