"""How far outputs moved, in words."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Text, listed, m
from cyclescope.optimizing.search.drift import Drift
from cyclescope.report import format as fmt


def drift_words(drift: Drift | None) -> Text:
    """The figures that `drift` has."""
    if drift is None:
        return fmt.UNKNOWN
    if drift.same:
        return m("identical up to rounding")
    return listed(_figures(drift))


def _figures(drift: Drift) -> Iterator[Text]:
    if drift.tokens is not None:
        yield m("{share} of tokens equal", share=fmt.share(drift.tokens))
    if drift.cosine is not None:
        yield f"1 − cos {fmt.significant(max(0.0, 1 - drift.cosine), 2)}"
    if drift.top1 is not None:
        yield f"top-1 {fmt.share(drift.top1)}"


def limit_words(max_drift: float) -> Text:
    """How far outputs may move."""
    if max_drift == 0:
        return m("identical outputs up to rounding (1e-4)")
    return m("1 − cosine (or share of tokens that differ) at most {limit}", limit=fmt.significant(max_drift))
