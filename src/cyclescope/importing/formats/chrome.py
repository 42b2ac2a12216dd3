"""Any trace in the format of Chrome and Perfetto: spans with names on threads, of whatever wrote them.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclescope.importing.formats.arguments import WHOLE
from cyclescope.importing.formats.dialect import Dialect, Opening
from cyclescope.importing.trace import Kind


def _recognises(opening: Opening) -> bool:
    return any(record.ph for record in opening.records)


def _kind(category: str, name: str) -> Kind:
    return Kind.SPAN


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {}


CHROME = Dialect("chrome", "Chrome or Perfetto trace", _recognises, _kind, {Kind.SPAN: WHOLE}, _properties)
