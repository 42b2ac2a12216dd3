"""Columns of the feed-forward networks that matter least are taken out."""

from __future__ import annotations

from cyclescope.backends.torch.changes.change import Edits, Subject, numbers, path_of
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.blocks import feed_forward_blocks
from cyclescope.core.message import m

# Kernels compute in blocks of this many numbers; a width between two multiples costs as much as the larger.
_BLOCK = 32


def prune_feed_forward(subject: Subject, amount: float) -> Edits:
    """Take out the share `amount` of the inner width of every feed-forward network, rounded to whole blocks of 32.

    The numbers that go are those with the smallest product of norms of the weights before and behind them.
    """
    blocks = feed_forward_blocks(subject.graph)
    if not blocks:
        raise Unsupported(m("No feed-forward network was found."))
    edits: list[Edit] = []
    left = 0
    for block in blocks:
        before = [subject.linear(weight) for weight in block.inputs]
        matter = subject.linear(block.output).weight.detach().float().norm(dim=0)
        left = max(_BLOCK, round(block.width * (1 - amount) / _BLOCK) * _BLOCK)
        if left >= block.width:
            raise Unsupported(
                m("A width of {width} is too small to prune {amount} of it.", width=block.width, amount=f"{amount:.0%}")
            )
        for linear in before:
            matter = matter * linear.weight.detach().float().norm(dim=1)
        kept = numbers(matter.argsort(descending=True)[:left].sort().values)
        edits += [Edit("keep-outputs", path_of(weight), kept) for weight in block.inputs]
        edits.append(Edit("keep-inputs", path_of(block.output), kept))
    return Edits(
        tuple(edits),
        m(
            "{count} feed-forward networks of width {width} reduced to {left}",
            count=len(blocks),
            width=blocks[0].width,
            left=left,
        ),
    )
