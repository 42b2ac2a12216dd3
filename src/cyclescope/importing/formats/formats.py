"""THE tuple of Chrome-like formats, in the order in which they are asked; the last takes any."""

from __future__ import annotations

from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.formats.kineto import KINETO

DIALECTS: tuple[Dialect, ...] = (KINETO,)
