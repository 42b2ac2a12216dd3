"""The one sentence that a cycle's page exists for: how long it takes, where, and how much of that is Python."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Message, Text, m, plural
from cyclescope.explaining.device import DeviceLine, Pace
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.naming.advice import filled
from cyclescope.report.naming.between import between_operations
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import stage_name

_ONE_THING = (OpKind.ATTENTION, OpKind.SOFTMAX)  # the other kinds are named by a plural
PACE: Mapping[Pace, Message] = MappingProxyType(
    {
        Pace.HOST: m(
            "The host sets the pace: of {span} the device works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
        ),
        Pace.DEVICE: m(
            "The device sets the pace: of {span} it works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
        ),
        Pace.UNCLEAR: m(
            "Which side sets the pace is uncertain: of {span} the device surely works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
        ),
    }
)


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
    return m(
        "A cycle takes {wall}: {share} of the attributed time is {stage}, {work}, {between} {between_share}.",
        wall=wall,
        share=fmt.share(found.stage_share),
        stage=where,
        work=work,
        between=between_operations(explanation.cycle.graph),
        between_share=fmt.share(found.python_share),
    )


def pace(line: DeviceLine) -> Text:
    """Which side decides how long the cycle takes, with what the device does in that time."""
    return filled(
        PACE[line.pace],
        span=fmt.time(line.span_ns),
        busy=fmt.time(float(line.busy_ns.sum())),
        busy_share=fmt.share(line.busy_share),
        idle=fmt.time(line.idle_total_ns),
        idle_share=fmt.share(line.idle_share),
    )
