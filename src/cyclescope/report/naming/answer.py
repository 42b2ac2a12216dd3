"""The one sentence that a cycle's page exists for: how long it takes, where, and how much of that is Python."""

from __future__ import annotations

from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text, m, plural
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.naming.between import between_operations
from cyclescope.report.naming.device import pace
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import stage_name

_ONE_THING = (OpKind.ATTENTION, OpKind.SOFTMAX)  # the other kinds are named by a plural


def answer(explanation: Explanation) -> Text:
    """The answer of the page about `explanation`."""
    if explanation.wall.n == 0:
        return m("No cycle was measured.")
    wall = fmt.estimate(explanation.wall)
    if explanation.device is not None:
        # The host's timestamps show launches there, which are not what the reader asks for first.
        return m("A cycle takes {wall}. {pace}", wall=wall, pace=pace(explanation.device))
    found = explanation.answer
    if not found.stage:
        return m("A cycle takes {wall}; where the time goes was not measured.", wall=wall)
    where: Text = stage_name(found.stage)
    if found.layers > 1:
        where = plural("{stage} ({n} layer)", "{stage} ({n} layers)", found.layers, stage=where)
    kind, share = KINDS[found.kind], fmt.share(found.kind_share)
    work = (
        m("{kind} takes {share}", kind=kind, share=share)
        if found.kind in _ONE_THING
        else m("{kind} take {share}", kind=kind, share=share)
    )
    if explanation.closure.tokens:
        return m(
            "A cycle takes {wall}. Of its first {count} tokens, {share} of the attributed time is {stage}, {work}, {between} {between_share}.",
            wall=wall,
            count=fmt.count(explanation.closure.tokens),
            share=fmt.share(found.stage_share),
            stage=where,
            work=work,
            between=between_operations(explanation.cycle.graph),
            between_share=fmt.share(found.python_share),
        )
    return m(
        "A cycle takes {wall}: {share} of the attributed time is {stage}, {work}, {between} {between_share}.",
        wall=wall,
        share=fmt.share(found.stage_share),
        stage=where,
        work=work,
        between=between_operations(explanation.cycle.graph),
        between_share=fmt.share(found.python_share),
    )
