"""Points of a sweep that differ in nothing but sizes and factors of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.backends.base import DEFAULT_TOKENS, ModelOutline, Request
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.fast import Factors
from cyclescope.predicting.predict import changed_target, requested
from cyclescope.predicting.settings import Setting, Settings
from cyclescope.predicting.spreading.request import settled
from cyclescope.predicting.target import Target

SIZES = ("batch", "tokens", "cache")


@dataclass(frozen=True, eq=False)
class Variant:
    """`points` [n] with their places `at` [n] in the grid. `request` is that of the first of them, `settings` are what they
    have in common, and `found` is the machine before any change.
    """

    request: Request
    outline: ModelOutline
    found: Target
    settings: Settings
    at: tuple[int, ...]
    points: tuple[tuple[Setting, ...], ...]

    def asked(self, k: int) -> Request:
        """The request of point `k`."""
        return settled(requested(self.request, Settings(self.points[k])))

    def target(self, settings: Settings) -> Target:
        """The machine with what `settings` change of it."""
        return changed_target(self.found, settings)

    def ends(self) -> Iterator[Request]:
        """The requests of the first and the last value of everything that is swept: no size lies outside of them."""
        for choose in (min, max):
            places = {k for name in SIZES for k in self._extreme(name, choose)}
            yield from (self.asked(k) for k in sorted(places or {0}))

    @cached_property
    def sizes(self) -> dict[str, IntArray]:
        """Each of `SIZES` at every point [n]; 0 where it is not given."""
        plain = {
            "batch": self.request.batch or settled(self.request).batch or 1,
            "tokens": self.request.tokens or 0,
            "cache": self.request.cache_length or 0,
        }
        return {name: self._column(name, plain[name]).astype(np.int64) for name in SIZES}

    @cached_property
    def factors(self) -> Factors:
        """Factors of the machine at every point, those that are common to all included."""
        return Factors(*(self._column(name, self.settings.factor(name)) for name in ("flops", "bandwidth", "overhead")))

    @cached_property
    def memory_bytes(self) -> IntArray:
        """The memory of the machine at every point [n]."""
        factor = self._column("memory", self.settings.factor("memory"))
        found: IntArray = np.rint(self.found.machine.memory_bytes * factor).astype(np.int64)
        return found

    @cached_property
    def tokens(self) -> IntArray:
        """The tokens that the cycle of each point is for [n]: those that it writes, where it writes any, else those that it reads."""
        batch = self.sizes["batch"]
        if self.request.cache_length is not None:
            return batch
        if self.request.new_tokens:
            return batch * self.request.new_tokens
        return batch * np.where(self.sizes["tokens"] > 0, self.sizes["tokens"], DEFAULT_TOKENS)

    def _column(self, name: str, otherwise: float) -> FloatArray:
        place = next((k for k, each in enumerate(self.points[0]) if each.name == name), None)
        if place is None:
            return np.full(len(self.points), float(otherwise))
        return np.asarray([point[place].value for point in self.points], dtype=np.float64)

    def _extreme(self, name: str, choose: object) -> tuple[int, ...]:
        column = self._column(name, 0.0)
        return (int(column.argmin() if choose is min else column.argmax()),)
