"""The words of a cycle whose time between operations is an engine's own, and not that of Python."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from cyclescope.core.graph.graph import Graph
from cyclescope.report.words.strings import Strings, strings
from cyclescope.report.words.text import FormulaText, PageText, page_text


@dataclass(frozen=True, slots=True)
class _Between:
    """One language: the engine in a few words, then as a label and within a sentence, and what is counted as its time."""

    short: str
    name: str
    label: str
    within: str
    formula: str


_BETWEEN = {
    "en": _Between(
        "engine",
        "the engine",
        "Engine between operations",
        "the engine between operations",
        "From the end of one operation to the beginning of the next, by the counters of the engine, and what its calls take outside of all operations.",
    ),
    "zh": _Between(
        "引擎",
        "引擎",
        "算子之间的引擎",
        "算子之间的引擎",
        "按引擎自己的计数器，从一个算子结束到下一个算子开始，以及引擎调用中不属于任何算子的时间。",
    ),
}


_EITHER = {"en": "Between operations", "zh": "算子之间"}


def strings_for(language: str, graph: Graph) -> Strings:
    """The texts of `language` for a cycle of `graph`. Raises `UsageError` for one that there is none of."""
    s = strings(language)
    if not graph.engine_between:
        return s
    t = _BETWEEN[s.language]
    return replace(
        s,
        python=t.label,
        answer=s.answer.replace(s.python, t.within),
        answer_without_layers=s.answer_without_layers.replace(s.python, t.within),
        decode_steps_text=s.decode_steps_text.replace(s.python, t.within),
        engine_between=t.within,
    )


def strings_for_both(language: str, a: Graph, b: Graph) -> Strings:
    """The texts of `language` for two cycles side by side. What is Python in one and an engine in the other is neither.

    Raises like `strings_for`.
    """
    if a.engine_between == b.engine_between:
        return strings_for(language, a)
    s = strings(language)
    return replace(s, python=_EITHER[s.language])


def page_text_for(language: str, graph: Graph) -> PageText:
    """The texts of a page, likewise."""
    p = page_text(language)
    if not graph.engine_between:
        return p
    t, python = _BETWEEN[language], strings(language).python

    def told(text: str) -> str:
        return text.replace(python, t.within).replace("Python", t.name)

    path = p.formulas["critical-path"]
    formulas = {
        "python": FormulaText(t.label, t.formula, p.formulas["python"].source),
        "critical-path": replace(path, text=told(path.text)),
    }
    return replace(
        p,
        stages_note=told(p.stages_note),
        bar_spoken=told(p.bar_spoken),
        families=MappingProxyType({**p.families, "python": t.short}),
        layers_caption=told(p.layers_caption),
        layers_caption_cut=told(p.layers_caption_cut),
        layer_spoken=told(p.layer_spoken),
        python_short=t.short,
        chart=replace(p.chart, python=t.short),
        formulas=MappingProxyType({**p.formulas, **formulas}),
        generation=replace(p.generation, phases_caption=told(p.generation.phases_caption)),
        what_if=replace(p.what_if, overhead=told(p.what_if.overhead)),
    )
