"""What runs between two operations: Python, or an engine that calls its operations itself.

Sentences take it as a value: `m("{share} is {between}", between=between_operations(graph), …)`.
"""

from __future__ import annotations

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, m


def between(graph: Graph) -> Message:
    """Its name within a sentence: `Python`, `the engine`."""
    return m("the engine") if graph.engine_between else m("Python")


def between_short(graph: Graph) -> Message:
    """Its name as the title of a column: `Python`, `engine`."""
    return m("engine") if graph.engine_between else m("Python")


def between_operations(graph: Graph) -> Message:
    """Its time within a sentence: `Python between operations`."""
    return m("the engine between operations") if graph.engine_between else m("Python between operations")


def between_label(graph: Graph) -> Message:
    """Its time as a label: `Engine between operations`."""
    return m("Engine between operations") if graph.engine_between else m("Python between operations")


def between_label_of_both(a: Graph, b: Graph) -> Message:
    """The label for two cycles side by side: what is Python in one and an engine in the other is neither."""
    return between_label(a) if a.engine_between == b.engine_between else m("Between operations")


def native_label() -> Message:
    """As a label, the time of native code between operations that was not traced."""
    return m("native code, not traced")
