"""How a field of a value stands in files: what its `metadata` may say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STORED_AS = "stored as"  # the name that files know it by, where that is another
# A field that came after the first format: it is stored only where it is not its default, so that files in which it says
# nothing stay what they were.
ADDED_LATER: Mapping[str, bool] = MappingProxyType({"added later": True})
