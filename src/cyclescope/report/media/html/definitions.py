"""The definitions that a page offers beside its numbers, by the terms that its blocks name."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from cyclescope.core.message import Message, Series, Text
from cyclescope.explaining.metrics.definition import DEFINITIONS
from cyclescope.report.media.html.metric_cards import MetricCard, metric_card
from cyclescope.report.page import Page
from cyclescope.report.terms import TERMS, Term
from cyclescope.report.words.translate import Say

_METRIC = "metric-"


def terms_of(page: Page) -> frozenset[str]:
    """The names of all definitions that `page` offers."""
    return frozenset(_named(page.opening) | _named(page.sections)) - {""}


def _named(value: object) -> set[str]:
    if isinstance(value, tuple):
        return set().union(*map(_named, value))
    if not is_dataclass(value) or isinstance(value, type | Message | Series):
        return set()
    own = {getattr(value, "term", ""), *getattr(value, "terms", ())}
    return own.union(*(_named(getattr(value, field.name)) for field in fields(value)))


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
