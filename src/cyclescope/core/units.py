"""Names for quantities. SI only: tera is 10^12, and time is a whole number of nanoseconds."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Nanoseconds: TypeAlias = int
Bytes: TypeAlias = int
Flops: TypeAlias = int

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
AnyArray: TypeAlias = NDArray[Any]

NS_PER_S = 1_000_000_000
