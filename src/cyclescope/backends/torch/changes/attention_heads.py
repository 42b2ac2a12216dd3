"""Attention heads that matter least are taken out, whole."""

from __future__ import annotations

import torch

from cyclescope.backends.torch.changes.change import Edits, Subject, numbers, path_of
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.blocks import AttentionBlock, attention_blocks
from cyclescope.core.message import m


def prune_heads(subject: Subject, amount: float) -> Edits:
    """Take out the share `amount` of the heads of every attention, those with the smallest weights.

    What a head can add to the output is bounded by the norms of its value and output weights; heads with the smallest
    product of the two go (magnitude pruning; Michel, Levy and Neubig, 2019, compare criteria). Queries that share keys
    and values (Ainslie et al., 2023) go together with them.
    """
    blocks = attention_blocks(subject.graph)
    if not blocks:
        raise Unsupported(m("No attention with separate query, key and value projections was found."))
    edits: list[Edit] = []
    taken = 0
    for block in blocks:
        kept = _kept(subject, block, amount)
        if kept is None:
            continue
        together = block.heads // min(block.heads, block.key_heads)
        of_groups, of_heads = _rows(kept, block.head_width), _rows(kept, together * block.head_width)
        edits += [
            Edit("keep-outputs", path_of(block.query), of_heads),
            Edit("keep-outputs", path_of(block.key), of_groups),
            Edit("keep-outputs", path_of(block.value), of_groups),
            Edit("keep-inputs", path_of(block.output), of_heads),
        ]
        taken += block.heads - together * len(kept)
    if not taken:
        raise Unsupported(m("There are too few heads to prune {amount} of them.", amount=f"{amount:.0%}"))
    return Edits(
        tuple(edits), m("{taken} of {heads} attention heads pruned", taken=taken, heads=sum(b.heads for b in blocks))
    )


def _kept(subject: Subject, block: AttentionBlock, amount: float) -> torch.Tensor | None:
    """Numbers of the groups of heads that stay; None where none can go."""
    value, output = subject.linear(block.value), subject.linear(block.output)
    subject.linear(block.query), subject.linear(block.key)
    groups = min(block.heads, block.key_heads)
    drop = int(groups * amount)
    if not drop or groups < 2:
        return None
    values = value.weight.detach().float().reshape(groups, -1).norm(dim=1)
    outputs = output.weight.detach().float().T.reshape(groups, -1).norm(dim=1)
    kept: torch.Tensor = (values * outputs).argsort(descending=True)[: groups - drop].sort().values
    return kept


def _rows(kept: torch.Tensor, width: int) -> tuple[int, ...]:
    """The rows of groups `kept`, each `width` rows wide."""
    return numbers((kept[:, None] * width + torch.arange(width)[None, :]).reshape(-1))
