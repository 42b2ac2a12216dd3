"""What the cycles of a family hold at their peak, and how many sequences a memory has room for: at many points at once.

Whatever is held while one operation runs is a sum of sizes, so it is a polynomial as these are; the peak is the largest of
them, and operations that hold no more than another at any point need no word.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.family import GraphFamily, basis_of, differences
from cyclescope.core.units import IntArray
from cyclescope.explaining.memory import memory

NO_LIMIT = -1  # of a batch: nothing grows with it, or what is held is unknown
_MOST_COMPARED = 2_000  # rows that are compared each with each


@dataclass(frozen=True, eq=False)
class Peaks:
    """`held` [rows, terms] are the polynomials that may be the largest somewhere, in the terms `orders` [terms, axes]; no
    row where what a cycle holds is unknown.
    """

    family: GraphFamily
    orders: IntArray
    held: IntArray

    @staticmethod
    def of(family: GraphFamily) -> Peaks:
        orders = family.node_orders
        found = [memory(graph) for _, graph in family.nodes]
        series = [each.computed.total for each in found if each is not None]
        if len(series) < len(found):
            return Peaks(family, orders, np.zeros((0, len(orders)), dtype=np.int64))
        held = np.unique(differences(np.stack(series, axis=1), orders), axis=0)
        return Peaks(family, orders, _undominated(held))

    def needed(self, points: IntArray) -> IntArray:
        """The bytes that the cycle at each of `points` [points, axes] holds at its peak [points]; 0: unknown."""
        if not len(self.held):
            return np.zeros(len(points), dtype=np.int64)
        found: IntArray = (basis_of(points, self.family.low, self.orders) @ self.held.T).max(axis=1)
        return found

    def most_sequences(self, points: IntArray, has: IntArray) -> IntArray:
        """The largest batch that fits into `has` [points] bytes at the lengths of each of `points` [points]; `NO_LIMIT` where
        nothing grows with the batch; one below the least of the family where not even that fits.
        """
        axis = self.family.axes.index("batch")
        grows = self.orders[:, axis] == 1
        at_low = points.copy()
        at_low[:, axis] = self.family.low[axis]
        stays = basis_of(at_low, self.family.low, self.orders[~grows]) @ self.held[:, ~grows].T
        # C(batch − low, 1) is 1 for one sequence more.
        at_low[:, axis] += 1
        each = basis_of(at_low, self.family.low, self.orders[grows]) @ self.held[:, grows].T
        room = has[:, None] - stays
        more = np.where(each > 0, np.floor_divide(room, np.maximum(each, 1)), np.iinfo(np.int64).max)
        more = np.where((each <= 0) & (room < 0), -1, more)
        least = more.min(axis=1, initial=np.iinfo(np.int64).max)
        found: IntArray = np.where(
            least == np.iinfo(np.int64).max, NO_LIMIT, np.maximum(least, -1) + self.family.low[axis]
        )
        return found


def _undominated(held: IntArray) -> IntArray:
    """The rows that no other row is at least as large as in every term: steps from the least point are never negative."""
    if len(held) > _MOST_COMPARED:
        return held
    kept = np.ones(len(held), dtype=bool)
    for row in range(len(held)):
        larger = (held >= held[row]).all(axis=1) & kept
        larger[row] = False
        kept[row] = not larger.any()
    return held[kept]
