"""Columns that grow piece by piece, and become arrays once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cyclescope.core.units import AnyArray


@dataclass
class Columns:
    """Pieces of columns by name; each piece has as many rows as those beside it."""

    rows: int = 0
    _pieces: dict[str, list[AnyArray]] = field(default_factory=dict)

    def add(self, **piece: AnyArray) -> None:
        for name, values in piece.items():
            self._pieces.setdefault(name, []).append(values)
        self.rows += len(values)

    def pop(self, name: str, dtype: type) -> AnyArray:
        """The column `name` as one array; its pieces are freed."""
        pieces = self._pieces.pop(name, [])
        return np.concatenate(pieces).astype(dtype, copy=False) if pieces else np.empty(0, dtype)
