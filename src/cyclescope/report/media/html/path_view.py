"""The temporal arrangement on the page: its words, and which boxes and arrows of the data flow the critical path takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, takewhile

from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.dataflow import DataFlow
from cyclescope.report.media.html.old_sections.arrangement import arrangement_blocks
from cyclescope.report.page import Heading, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_arrangement import arrangement_text


@dataclass(frozen=True, slots=True)
class Chain:
    """Positions of the boxes of a drawing, and pairs of positions of its arrows, that the critical path runs through."""

    nodes: frozenset[int] = frozenset()
    edges: frozenset[tuple[int, int]] = frozenset()


def chain(flow: DataFlow, arrangement: Arrangement | None) -> Chain:
    """The critical path in `flow`. What `flow` does not draw, such as views and folded layers, is stepped over."""
    if arrangement is None:
        return Chain()
    node_of = {op: k for k, node in enumerate(flow.nodes) for op in node.ops}
    visited = [node_of[op] for op in arrangement.path.tolist() if op in node_of]
    return Chain(frozenset(visited), frozenset((a, b) for a, b in pairwise(visited) if a != b))


class PathView:
    """The temporal arrangement of one cycle, in the words that every medium uses."""

    def __init__(self, told: Arrangement, cores: int, s: Strings) -> None:
        self.title = arrangement_text(s).title
        blocks = [block for block in arrangement_blocks(told, cores, s) if not isinstance(block, Heading)]
        # From the first table on it is for those who want to know more.
        self.first = tuple(takewhile(lambda block: not isinstance(block, Table), blocks))
        self.more = tuple(blocks[len(self.first) :])
