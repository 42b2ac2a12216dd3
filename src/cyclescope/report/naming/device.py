"""Whether the host or its device limits a cycle, as a sentence."""

from __future__ import annotations

from cyclescope.core.message import Message, m
from cyclescope.explaining.device import DeviceLine, Pace
from cyclescope.report import format as fmt

_PACES = {
    Pace.HOST: m(
        "The host limits the cycle: of {span} the device works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
    ),
    Pace.DEVICE: m(
        "The device limits the cycle: of {span} it works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
    ),
    Pace.UNCLEAR: m(
        "Whether the host or the device limits the cycle is uncertain: of {span} the device certainly works {busy} ({busy_share}) and waits {idle} ({idle_share}) for launches."
    ),
}


def pace(line: DeviceLine) -> Message:
    """Which of the two limits the cycle, and how long the device works and waits."""
    return m(
        _PACES[line.pace].text,
        span=fmt.time(line.span_ns),
        busy=fmt.time(float(line.busy_ns.sum())),
        busy_share=fmt.share(line.busy_share),
        idle=fmt.time(line.idle_total_ns),
        idle_share=fmt.share(line.idle_share),
    )
