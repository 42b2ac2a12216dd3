"""Columns of the feed-forward networks that matter least are taken out."""

from __future__ import annotations

import torch

from cyclescope.backends.torch.changes.change import Subject, keep_inputs, keep_outputs
from cyclescope.core.blocks import feed_forward_blocks
from cyclescope.core.errors import Unsupported

# Kernels compute in blocks of this many numbers; a width between two multiples costs as much as the larger.
_BLOCK = 32


def prune_feed_forward(subject: Subject, amount: float) -> str:
    """Take out the share `amount` of the inner width of every feed-forward network, rounded to whole blocks of 32.

    The numbers that go are those with the smallest product of norms of the weights before and behind them.
    """
    blocks = feed_forward_blocks(subject.graph)
    if not blocks:
        raise Unsupported("No feed-forward network was found.")
    left = 0
    for block in blocks:
        before = [subject.linear(weight) for weight in block.inputs]
        behind = subject.linear(block.output)
        left = max(_BLOCK, round(block.width * (1 - amount) / _BLOCK) * _BLOCK)
        if left >= block.width:
            raise Unsupported(f"A width of {block.width} is too small to take {amount:.0%} of it.")
        matter = behind.weight.detach().float().norm(dim=0)
        for linear in before:
            matter = matter * linear.weight.detach().float().norm(dim=1)
        kept = matter.argsort(descending=True)[:left].sort().values
        for linear in before:
            keep_outputs(linear, kept)
        keep_inputs(behind, torch.as_tensor(kept))
    return f"{len(blocks)} feed-forward networks of width {blocks[0].width} reduced to {left}"
