"""Large weight matrices as products of two thin ones."""

from __future__ import annotations

import torch

from cyclescope.backends.torch.changes.change import Subject
from cyclescope.core.blocks import attention_blocks, feed_forward_blocks
from cyclescope.core.errors import Unsupported


def low_rank(subject: Subject, amount: float) -> str:
    """Replace each weight matrix of the layers by its best approximation of a rank at which the share `amount` of its
    multiplications is left (truncated singular value decomposition; Eckart and Young, 1936).
    """
    weights: dict[str, None] = {}
    for attention in attention_blocks(subject.graph):
        weights |= dict.fromkeys((attention.query, attention.key, attention.value, attention.output))
    for forward in feed_forward_blocks(subject.graph):
        weights |= dict.fromkeys((*forward.inputs, forward.output))
    if not weights:
        raise Unsupported("No products of layers were found.")
    rank = 0
    for weight in weights:
        linear = subject.linear(weight)
        n, k = linear.weight.shape
        rank = max(1, int(amount * n * k / (n + k)))
        subject.replace(weight.rpartition(".")[0], _factored(linear, rank))
    return f"{len(weights)} weight matrices factored, the last to rank {rank}"


def _factored(linear: torch.nn.Linear, rank: int) -> torch.nn.Sequential:
    """The weight matrix W projected onto its first left singular vectors U: W ≈ U (Uᵀ W).

    They are the eigenvectors of W Wᵀ, or the right ones those of Wᵀ W: whichever is smaller is a tenth of the time of
    the whole decomposition.
    """
    weight = linear.weight.detach().double()
    kind = linear.weight.dtype
    if weight.shape[0] <= weight.shape[1]:
        left = torch.linalg.eigh(weight @ weight.T).eigenvectors[:, -rank:]
        thin, wide = left.T @ weight, left
    else:
        right = torch.linalg.eigh(weight.T @ weight).eigenvectors[:, -rank:]
        thin, wide = right.T, weight @ right
    first = torch.nn.Linear(linear.in_features, rank, bias=False, dtype=kind)
    second = torch.nn.Linear(rank, linear.out_features, bias=linear.bias is not None, dtype=kind)
    first.weight = torch.nn.Parameter(thin.to(kind).contiguous(), requires_grad=False)
    second.weight = torch.nn.Parameter(wide.to(kind).contiguous(), requires_grad=False)
    if linear.bias is not None:
        second.bias = torch.nn.Parameter(linear.bias.detach().clone(), requires_grad=False)
    return torch.nn.Sequential(first, second)
