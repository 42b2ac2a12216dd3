"""Parts of a cycle that are timed as wholes: one forward pass, or of a generation the prompt and all further steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import BoolArray, FloatArray
from cyclescope.predicting.features import GROUPS, Group
from cyclescope.predicting.fused.kernels import PART, SIZES, Kernels

# What the law of a whole segment depends on; sizes are logarithms.
COLUMNS = ("time", "kernels", "m", "k", "n", "weights", "attention", "pointwise", "joined", "steps")
_WEIGHT = GROUPS.index(Group.WEIGHT_PRODUCT)


@dataclass(frozen=True, eq=False)
class Segment:
    """The kernels of one segment: `of` [kernels] masks them, `calls` is how often the engine is called for them."""

    kernels: Kernels
    of: BoolArray
    calls: int


def segments(kernels: Kernels) -> tuple[Segment, ...]:
    """The prompt, and all further steps where there are any."""
    first = kernels.step == 0
    found = [Segment(kernels, first, 1)]
    if kernels.steps > 1:
        found.append(Segment(kernels, ~first, kernels.steps - 1))
    return tuple(found)


def columns_of(segment: Segment) -> FloatArray:
    """The values of `COLUMNS` for `segment`."""
    found, of = segment.kernels, segment.of
    parts, sizes = found.parts[of], found.sizes[of]
    bound = found.bound_ns[of]
    total = max(float(bound.sum()), 1.0)
    products = found.group[of] == _WEIGHT
    flops = np.expm1(sizes[:, SIZES.index("flops")]) * products
    share = flops / max(float(flops.sum()), 1.0)
    m, k, n = (float(share @ sizes[:, SIZES.index(name)]) for name in ("m", "k", "n"))
    count = max(1, int(of.sum()))

    def of_part(name: str) -> float:
        return float(parts[:, PART[name]].sum()) / total

    return np.asarray(
        [
            np.log(total / segment.calls),
            np.log(count / segment.calls),
            m,
            k,
            n,
            of_part("weights"),
            of_part("attention") + of_part("attention memory"),
            of_part("rows") + of_part("pointwise") + of_part("movement"),
            of_part("joined"),
            float(segment.calls > 1),
        ]
    )
