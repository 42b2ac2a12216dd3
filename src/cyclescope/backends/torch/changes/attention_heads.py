"""Attention heads that matter least are taken out, whole."""

from __future__ import annotations

import torch

from cyclescope.backends.torch.changes.change import Subject, keep_inputs, keep_outputs
from cyclescope.core.blocks import AttentionBlock, attention_blocks
from cyclescope.core.errors import Unsupported


def prune_heads(subject: Subject, amount: float) -> str:
    """Take out the share `amount` of the heads of every attention, those with the smallest weights.

    What a head can add to the output is bounded by the norms of its value and output weights; heads with the smallest
    product of the two go (magnitude pruning; Michel, Levy and Neubig, 2019, compare criteria). Queries that share keys
    and values (Ainslie et al., 2023) go together with them.
    """
    blocks = attention_blocks(subject.graph)
    if not blocks:
        raise Unsupported("No attention was found whose queries, keys and values have products of their own.")
    taken = 0
    for block in blocks:
        taken += _prune(subject, block, amount)
    if not taken:
        raise Unsupported(f"There are too few heads to take {amount:.0%} of them.")
    return f"{taken} of {sum(block.heads for block in blocks)} heads taken out"


def _prune(subject: Subject, block: AttentionBlock, amount: float) -> int:
    query, key, value, output = (subject.linear(w) for w in (block.query, block.key, block.value, block.output))
    groups = min(block.heads, block.key_heads)
    drop = int(groups * amount)
    if not drop or groups < 2:
        return 0
    together = block.heads // groups
    width = block.head_width
    values = value.weight.detach().float().reshape(groups, -1).norm(dim=1)
    outputs = output.weight.detach().float().T.reshape(groups, -1).norm(dim=1)
    kept = (values * outputs).argsort(descending=True)[: groups - drop].sort().values
    of_groups = _rows(kept, width)
    of_heads = _rows(kept, together * width)
    keep_outputs(query, of_heads)
    keep_outputs(key, of_groups)
    keep_outputs(value, of_groups)
    keep_inputs(output, of_heads)
    return drop * together


def _rows(kept: torch.Tensor, width: int) -> torch.Tensor:
    """The rows of groups `kept`, each `width` rows wide."""
    return (kept[:, None] * width + torch.arange(width)[None, :]).reshape(-1)
