"""Collectives: what the ranks of a spread plan send each other, and how long a machine takes for that.

Measured ones have a ceiling for each kind and number of ranks: latency + bytes ÷ bandwidth (α–β, Hockney, Parallel
Computing 1994), in pieces from knee to knee, since a library changes its protocol with the size of the message. What was
not measured follows from the interconnects that a datasheet states, by the closed forms of rings (Thakur, Rabenseifner
and Gropp, IJHPCA 2005): no latency is known there, so that these are bounds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.figure import Figure
from cyclescope.core.message import Text, m
from cyclescope.core.units import NS_PER_S


class CollectiveKind(StrEnum):
    """What ranks do together; the names of the operations."""

    ALL_REDUCE = "all_reduce"
    ALL_GATHER = "all_gather"
    SEND = "send"
    RECEIVE = "receive"


@dataclass(frozen=True, slots=True)
class Collective:
    """One operation of a graph that is a collective: `ranks` take part, which lie on `hosts` hosts, and the whole message is
    `message_bytes` (of an all-gather what each has in the end).
    """

    op: int
    kind: CollectiveKind
    ranks: int
    message_bytes: int
    hosts: int = 1


@dataclass(frozen=True, slots=True)
class CollectivePiece:
    """From `from_bytes` on a message takes `latency_ns` + bytes · `ns_per_byte`; `spread` is half the width of the interval of
    ln(true ÷ predicted) that holds 90 % of the sizes that were kept out.
    """

    from_bytes: int
    latency_ns: float
    ns_per_byte: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class CollectiveCeiling:
    """What a collective of `kind` among `ranks` ranks on `hosts` hosts takes, `pieces` by ascending size, at least one; `sizes`
    were measured, and `source` says where.
    """

    kind: CollectiveKind
    ranks: int
    hosts: int
    pieces: tuple[CollectivePiece, ...]
    sizes: int
    source: str

    def piece(self, message_bytes: float) -> CollectivePiece:
        """The piece that a message of that size lies in."""
        starts = [piece.from_bytes for piece in self.pieces]
        return self.pieces[max(0, bisect_right(starts, message_bytes) - 1)]


@dataclass(frozen=True, slots=True)
class Interconnect:
    """What joins devices: `bytes_per_s` of each device in one direction, and `latency_ns` of one message (None: unknown).

    `devices` are joined by it; −1 are as many as a host has, and 0 is a network between hosts, which has no end.
    """

    name: str
    devices: int
    bytes_per_s: Figure
    latency_ns: Figure | None = None


@dataclass(frozen=True, slots=True)
class CollectiveTime:
    """How long one collective takes, the `spread` of ln(true ÷ predicted) (NaN: unknown), and what it rests on."""

    ns: float
    spread: float
    source: str
    remark: Text = ""


def steps(kind: CollectiveKind, ranks: int) -> int:
    """Messages that follow each other in a ring."""
    return {CollectiveKind.ALL_REDUCE: 2 * (ranks - 1), CollectiveKind.ALL_GATHER: ranks - 1}.get(kind, 1)


def volume(kind: CollectiveKind, ranks: int) -> float:
    """Bytes that each rank of a ring sends, as a share of the message: 2 (n − 1) ÷ n of an all-reduce."""
    return steps(kind, ranks) / ranks if kind in (CollectiveKind.ALL_REDUCE, CollectiveKind.ALL_GATHER) else 1.0


def collective_time(
    measured: Sequence[CollectiveCeiling], links: Sequence[Interconnect], asked: Collective
) -> CollectiveTime | None:
    """How long `asked` takes; None where nothing is known that it could rest on."""
    if asked.ranks < 2:
        return CollectiveTime(0.0, 0.0, "")
    wanted = CollectiveKind.SEND if asked.kind is CollectiveKind.RECEIVE else asked.kind
    found = _nearest(measured, wanted, asked)
    if found is None and wanted is CollectiveKind.ALL_GATHER:
        found = _nearest(measured, CollectiveKind.ALL_REDUCE, asked)
    return _scaled(found, wanted, asked) if found is not None else _by_links(links, asked)


def devices_of_host(measured: Sequence[CollectiveCeiling], links: Sequence[Interconnect]) -> int:
    """How many devices a host has, as far as the figures tell: those that its interconnect joins; 0 where nothing says."""
    joined = [link.devices for link in links if link.devices > 0]
    if any(link.devices < 0 for link in links):
        return 0
    return max(joined or [ceiling.ranks for ceiling in measured if ceiling.hosts == 1], default=0)


def _nearest(
    measured: Sequence[CollectiveCeiling], kind: CollectiveKind, asked: Collective
) -> CollectiveCeiling | None:
    """The ceiling of `kind` within a host, or across hosts, whose number of ranks is nearest on the log scale."""
    alike = [c for c in measured if c.kind is kind and (c.hosts > 1) == (asked.hosts > 1)]
    # At the same number of ranks, as many hosts as asked come first.
    return min(
        alike,
        key=lambda c: (abs(math.log(c.ranks / asked.ranks)), abs(math.log(c.hosts / asked.hosts)), c.hosts),
        default=None,
    )


def _scaled(ceiling: CollectiveCeiling, kind: CollectiveKind, asked: Collective) -> CollectiveTime:
    """What `ceiling` says of another number of ranks, or of the half of an all-reduce: rings have more steps of less each."""
    piece = ceiling.piece(asked.message_bytes)
    ranks = max(2, ceiling.ranks)
    latency = piece.latency_ns * steps(kind, asked.ranks) / steps(ceiling.kind, ranks)
    rate = piece.ns_per_byte * volume(kind, asked.ranks) / volume(ceiling.kind, ranks)
    remark: Text = ""
    spread = piece.spread
    if (ceiling.kind, ceiling.ranks) != (kind, asked.ranks):
        remark = m("scaled from {kind} of {ranks} ranks", kind=ceiling.kind.value, ranks=ceiling.ranks)
        spread += abs(math.log(asked.ranks / ranks)) if ceiling.ranks != asked.ranks else math.log(1.5)
    return CollectiveTime(latency + asked.message_bytes * rate, spread, ceiling.source, remark)


def _by_links(links: Sequence[Interconnect], asked: Collective) -> CollectiveTime | None:
    """The bound by the datasheet: in a host, or in it and between hosts one after the other, each device with its own share."""
    local = max(1, asked.ranks // asked.hosts)
    joins = [link for link in links if link.devices < 0 or (link.devices >= local and link.devices)]
    inside = max(joins, key=lambda link: link.bytes_per_s.value, default=None)
    between = max((link for link in links if link.devices == 0), key=lambda link: link.bytes_per_s.value, default=None)
    if asked.hosts > 1 and between is None:
        return None
    if asked.kind in (CollectiveKind.SEND, CollectiveKind.RECEIVE):
        link = between if asked.hosts > 1 else inside or between
        return None if link is None else _time(_ring(link, asked.kind, 2, asked.message_bytes), (link,))
    if asked.hosts == 1:
        link = inside or between
        return None if link is None else _time(_ring(link, asked.kind, asked.ranks, asked.message_bytes), (link,))
    assert between is not None
    if local > 1 and inside is None:
        return None
    ns = _ring(between, asked.kind, asked.hosts, asked.message_bytes / local)
    if local > 1 and inside is not None:
        ns += _ring(inside, asked.kind, local, asked.message_bytes)
    return _time(ns, (between, *((inside,) if inside is not None and local > 1 else ())))


def _ring(link: Interconnect, kind: CollectiveKind, ranks: int, message_bytes: float) -> float:
    if ranks < 2:
        return 0.0
    latency = link.latency_ns.value if link.latency_ns is not None else 0.0
    moved = message_bytes * volume(kind, ranks) / link.bytes_per_s.value * NS_PER_S
    return steps(kind, ranks) * latency + moved


def _time(ns: float, links: Sequence[Interconnect]) -> CollectiveTime:
    known = all(link.latency_ns is not None for link in links)
    remark = "" if known else m("a bound: the latency of a message is unknown")
    return CollectiveTime(ns, math.nan, "; ".join(link.bytes_per_s.source for link in links), remark)
