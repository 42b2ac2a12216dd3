"""The definitions that a page offers beside its numbers, by the terms that its blocks name."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import cast

from cyclescope.core.message import Message, Series, Text
from cyclescope.explaining.metrics.definition import DEFINITIONS
from cyclescope.report.media.html.metric_cards import MetricCard, metric_card
from cyclescope.report.page import Page
from cyclescope.report.terms import TERMS, Term
from cyclescope.report.words.translate import Say

_METRIC = "metric-"


def terms_of(page: Page) -> frozenset[str]:
    """The names of all definitions that `page` offers."""
    found: set[str] = set()
    _collect(page.opening, found)
    _collect(page.sections, found)
    return frozenset(found - {""})


def _collect(value: object, found: set[str]) -> None:
    """Add the terms that `value` names, itself or in its fields, to `found`."""
    if isinstance(value, tuple):
        for part in value:
            _collect(part, found)
        return
    for name in _field_names(cast(Hashable, type(value))):
        part = getattr(value, name)
        if name == "term":
            found.add(part)
        elif name == "terms":
            found.update(part)
        elif not isinstance(part, str | int | float):
            _collect(part, found)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    """The fields of a block or a part of one; a sentence names no definition."""
    return () if issubclass(kind, Message | Series) or not is_dataclass(kind) else tuple(f.name for f in fields(kind))


def formulas(names: frozenset[str]) -> dict[str, Term]:
    """Formulas among `names`, in the order of all formulas."""
    return {name: term for name, term in TERMS.items() if name in names}


def metric_cards(names: frozenset[str], say: Say) -> list[MetricCard]:
    """Metrics among `names`, in the order of all metrics."""
    return [metric_card(found, say) for found in DEFINITIONS if f"{_METRIC}{found.name.value}" in names]


def title_of(name: str) -> Text:
    """What the definition `name` is called."""
    from cyclescope.report.naming.metrics import METRICS

    if name in TERMS:
        return TERMS[name].title
    return next((METRICS[found.name] for found in DEFINITIONS if name == f"{_METRIC}{found.name.value}"), name)
