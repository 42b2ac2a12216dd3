"""The two ends of the cycle: text to ids, and ids back to text.

No model of the arithmetic is offered: what a tokenizer does depends on its algorithm and on the text, not on shapes.
What is exact is the traffic: UTF-8 bytes (a tensor of dtype `text`) on one side, ids on the other.
"""

from __future__ import annotations

from cyclescope.core.graph.op import OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved


def text(call: EngineCall) -> OpCost:
    """`tokenize` (text -> ids, mask, ...) and `detokenize` (ids -> text)."""
    return OpCost(OpKind.TEXT, moved(call))


FORMULAS: dict[str, Formula] = {"tokenize": text, "detokenize": text}
