"""The one sentence that the page of an imported cycle exists for, behind what must be known before it."""

from __future__ import annotations

from cyclescope.core.message import Text, m, plural, sentences
from cyclescope.explaining.explanation import Explanation
from cyclescope.explaining.lanes.accounts import DeviceAccount
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.report import format as fmt
from cyclescope.report.naming.importing import IDLE, LITTLE_SKEW, grave, imported_from


def imported_answer(explanation: Explanation, lanes: Lanes) -> Text:
    """Where it comes from, what was lost, how long a step takes, and what its device, or else its host, does in it."""
    lost = grave(lanes.samples)
    said = [imported_from(lanes.samples), *([lost] if lost else []), _length(explanation)]
    mine = [account for account in lanes.devices if account.rank == lanes.samples.rank]
    if mine:
        said.append(_device(max(mine, key=lambda account: account.busy_ns)))
    elif lanes.rows:
        row = max(lanes.rows, key=lambda row: row.busy_ns)
        said.append(
            m(
                "No device works in it; the busiest lane is in operations for {busy} ({share}).",
                busy=fmt.time(row.busy_ns),
                share=fmt.share(row.busy_ns / row.total_ns if row.total_ns else 0.0),
            )
        )
    if lanes.ranks is not None and lanes.ranks.skew >= LITTLE_SKEW:
        said.append(
            m(
                "Of {n} ranks, rank {rank} is the slowest, by {share}.",
                n=len(lanes.ranks.rows),
                rank=lanes.ranks.slowest,
                share=fmt.share(lanes.ranks.skew),
            )
        )
    return sentences(*said)


def _length(explanation: Explanation) -> Text:
    return plural(
        "A step takes {wall} as recorded ({n} step).",
        "A step takes {wall} as recorded (median of {n} steps).",
        explanation.wall.n,
        wall=fmt.estimate(explanation.wall),
        n=fmt.count(explanation.wall.n),
    )


def _device(account: DeviceAccount) -> Text:
    total = max(1, account.total_ns)
    busy = m(
        "The device works for {share} of it and is idle for {idle}",
        share=fmt.share(account.busy_ns / total),
        idle=fmt.share(account.idle_ns / total),
    )
    if not account.idle_ns:
        return m("{busy}.", busy=busy)
    cause, ns = max(account.idle, key=lambda each: each[1])
    return m("{busy}; most of that is: {cause} ({time}).", busy=busy, cause=IDLE[cause], time=fmt.time(ns))
