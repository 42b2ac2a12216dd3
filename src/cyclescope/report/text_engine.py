"""The words of a cycle whose time between operations is an engine's own, and not that of Python."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.core.graph import Graph
from cyclescope.report.strings import Strings, strings

# As a label, and within a sentence.
_BETWEEN = {
    "en": ("Engine between operations", "the engine between operations"),
    "zh": ("算子之间的引擎", "算子之间的引擎"),
}


def strings_for(language: str, graph: Graph) -> Strings:
    """The texts of `language` for a cycle of `graph`. Raises `UsageError` for one that there is none of."""
    s = strings(language)
    if not graph.engine_between:
        return s
    label, within = _BETWEEN[s.language]
    return replace(
        s,
        python=label,
        answer=s.answer.replace(s.python, within),
        answer_without_layers=s.answer_without_layers.replace(s.python, within),
    )
