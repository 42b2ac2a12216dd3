"""Which texts go into one call of the model together."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.plan import Batching, Plan


def calls_of(lengths: Sequence[int], plan: Plan) -> tuple[tuple[int, ...], ...]:
    """The texts of each call, as their numbers, for texts of `lengths` tokens under `plan`.

    As many as `plan.batch` go together (0: all). In the order given, or neighbours by length, so that little is padding.
    """
    order = list(range(len(lengths)))
    if plan.batching == Batching.LENGTH:
        order.sort(key=lambda k: (lengths[k], k))
    size = plan.batch or max(1, len(order))
    return tuple(tuple(order[at : at + size]) for at in range(0, len(order), size))
