"""The one sentence that a cycle's page exists for: how long it takes, where, and how much of that is Python."""

from __future__ import annotations

from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text, m, plural, sentences
from cyclescope.explaining.explanation import Answer, Explanation
from cyclescope.report import format as fmt
from cyclescope.report.naming.between import between_operations
from cyclescope.report.naming.device import pace
from cyclescope.report.naming.importing_answer import imported_answer
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.predicting import basis, is_predicted
from cyclescope.report.naming.stages import stage_name

_ONE_THING = (OpKind.ATTENTION, OpKind.SOFTMAX)  # the other kinds are named by a plural


def _predicted(explanation: Explanation, wall: str) -> Text:
    """The answer about a prediction: that it is one, where the time would go, and by which timing model."""
    cycle, found = explanation.cycle, explanation.answer
    if not found.stage:
        first: Text = m("Predicted: a cycle takes {wall}.", wall=wall)
    elif found.python_share <= 0:  # an engine that runs the whole, or a device that never waits
        first = m(
            "Predicted: a cycle takes {wall}; {share} of that is {stage}, {work}.",
            wall=wall,
            share=fmt.share(found.stage_share),
            stage=_where(found),
            work=_work(found),
        )
    else:
        first = m(
            "Predicted: a cycle takes {wall}; {share} of that is {stage}, {work}, {between} {between_share}.",
            wall=wall,
            share=fmt.share(found.stage_share),
            stage=_where(found),
            work=_work(found),
            between=between_operations(cycle.graph),
            between_share=fmt.share(found.python_share),
        )
    made = cycle.samples.prediction
    return sentences(first, basis(made)) if made is not None else first


def _where(found: Answer) -> Text:
    where: Text = stage_name(found.stage)
    if found.layers > 1:
        where = plural("{stage} ({n} layer)", "{stage} ({n} layers)", found.layers, stage=where)
    return where


def _work(found: Answer) -> Text:
    kind, share = KINDS[found.kind], fmt.share(found.kind_share)
    if found.kind in _ONE_THING:
        return m("{kind} takes {share}", kind=kind, share=share)
    return m("{kind} take {share}", kind=kind, share=share)


def answer(explanation: Explanation) -> Text:
    """The answer of the page about `explanation`."""
    if explanation.wall.n == 0:
        return m("No cycle was measured.")
    wall = fmt.estimate(explanation.wall)
    if is_predicted(explanation.cycle):
        return _predicted(explanation, wall)
    if explanation.lanes is not None:
        return imported_answer(explanation, explanation.lanes)
    if explanation.device is not None:
        # The host's timestamps show launches there, which are not what the reader asks for first.
        return m("A cycle takes {wall}. {pace}", wall=wall, pace=pace(explanation.device))
    found = explanation.answer
    if not found.stage:
        return m("A cycle takes {wall}; where the time goes was not measured.", wall=wall)
    where, work = _where(found), _work(found)
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
