"""The lanes of an imported trace, drawn: levels of detail are made beforehand, so that a million events cost a page no more than a thousand.

Each lane is cut into bins of equal time, once coarsely and once finely. A bin tells what takes most of it and how full it is;
equal bins next to each other are one run. The longest events are drawn by themselves where there is room for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.message import Message, Text, m
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.explaining.lanes.intervals import Intervals, union
from cyclescope.explaining.lanes.lanes import Lanes
from cyclescope.report import format as fmt
from cyclescope.report.drawings.spans import name as harmless
from cyclescope.report.naming.importing import lane_name

MOST_BYTES = 300_000
_COARSE, _MIDDLE, _FINEST = 1024, 8192, 65536  # bins over the whole trace
_MOST_ITEMS, _MOST_LANES, _LONGEST_NAME = 4000, 40, 96
_SHADES = 9
# What is drawn in one colour: its class, its name and the kinds of events; the first of several that overlap hides the others.
_HOST: Sequence[tuple[str, Message, tuple[EventKind, ...]]] = (
    ("norm", m("waits for the device"), (EventKind.SYNC,)),
    ("matmul", m("operations and launches"), (EventKind.OPERATION, EventKind.RUNTIME)),
    ("python", m("around them"), (EventKind.PYTHON, EventKind.MODULE, EventKind.ANNOTATION, EventKind.OTHER)),
)
_DEVICE: Sequence[tuple[str, Message, tuple[EventKind, ...]]] = (
    ("elementwise", m("kernels"), (EventKind.KERNEL, EventKind.SET)),
    ("attention", m("communication"), (EventKind.COMMUNICATION,)),
    ("movement", m("copies"), (EventKind.COPY,)),
)


@dataclass(frozen=True, eq=False)
class LanesDrawing:
    """The drawn lanes of `lanes`, in at most about `most_bytes` of data."""

    lanes: Lanes
    most_bytes: int = MOST_BYTES

    @property
    def samples(self) -> LaneSamples:
        return self.lanes.samples

    @cached_property
    def drawn(self) -> tuple[int, ...]:
        """The lanes that are drawn: those with the most events, in their order."""
        lasting = self.samples.lane[self.samples.lasts]
        counts = np.bincount(lasting, minlength=len(self.samples.lanes))
        most = [k for k in np.argsort(-counts, kind="stable").tolist() if counts[k]][:_MOST_LANES]
        host_first = sorted(most, key=lambda k: (self.samples.lanes[k].rank, self.samples.lanes[k].device, k))
        return tuple(host_first)

    @cached_property
    def legend(self) -> tuple[tuple[str, Text], ...]:
        """The colours with their names."""
        there = {self.samples.lanes[k].device for k in self.drawn}
        found = [(paint, label) for paint, label, _ in (_HOST if False in there else ())]
        return (*found, *((paint, label) for paint, label, _ in (_DEVICE if True in there else ())))

    @cached_property
    def omitted(self) -> Text:
        """What is drawn in bins only, or nothing."""
        count = int(np.count_nonzero(self.samples.lasts)) - len(self._items)
        if count <= 0:
            return ""
        return m(
            "{count} events are drawn as bins of {bin} and not one by one, so that the page stays small; every table counts them.",
            count=fmt.count(count),
            bin=fmt.time(self._span / self._chosen[1]),
        )

    @cached_property
    def _begin(self) -> int:
        rows = self.samples.lasts
        return int(self.samples.begin_ns[rows].min()) if rows.any() else 0

    @cached_property
    def _span(self) -> int:
        rows = self.samples.lasts
        return max(1, int(self.samples.end_ns[rows].max()) - self._begin) if rows.any() else 1

    @cached_property
    def _classes(self) -> tuple[tuple[Intervals, ...], ...]:
        """For every drawn lane the time of each colour, what is hidden left out."""
        bounds = np.searchsorted(self.samples.lane, np.arange(len(self.samples.lanes) + 1))
        found = []
        for k in self.drawn:
            rows = np.arange(bounds[k], bounds[k + 1])
            taken = np.zeros(len(rows), dtype=bool)
            nested: list[Intervals] = []
            for _, _, kinds in _DEVICE if self.samples.lanes[k].device else _HOST:
                taken |= self.samples.of_kind(*kinds)[rows]
                nested.append(union(self.samples.begin_ns[rows][taken], self.samples.end_ns[rows][taken]))
            found.append(tuple(nested))
        return tuple(found)

    def _level(self, bins: int) -> list[list[int]]:
        """For every drawn lane its runs: how many bins, then the colour and shade as one number (0: nothing)."""
        edges = self._begin + (np.arange(bins + 1, dtype=np.int64) * self._span) // bins
        return [_runs(classes, edges) for classes in self._classes]

    @cached_property
    def _items(self) -> IntArray:
        """The events that are drawn one by one: the longest of every lane that lie in no operation, in order."""
        lasting = np.flatnonzero(self.samples.lasts & np.isin(self.samples.lane, self.drawn))
        wanted = lasting[self._is_item(lasting)]
        shift = self.samples.lane[wanted].astype(np.int64) * (2 * self._span)
        begin, end = (column[wanted] - self._begin + shift for column in (self.samples.begin_ns, self.samples.end_ns))
        reached = np.concatenate([[-1], np.maximum.accumulate(end)[:-1]])
        wanted = wanted[begin >= reached]
        longest = wanted[np.argsort(-self.samples.duration_ns[wanted], kind="stable")][:_MOST_ITEMS]
        return longest[np.lexsort((self.samples.begin_ns[longest], self.samples.lane[longest]))]

    def _is_item(self, rows: IntArray) -> BoolArray:
        mask: BoolArray = self.samples.of_kind(
            EventKind.OPERATION,
            EventKind.SYNC,
            EventKind.KERNEL,
            EventKind.COMMUNICATION,
            EventKind.COPY,
            EventKind.SET,
        )[rows]
        return mask

    @cached_property
    def _chosen(self) -> tuple[Mapping[str, Any], int]:
        """The data of the drawing, and the number of bins of its finest level."""
        bins = _FINEST
        while True:
            levels = [
                {"bins": count, "runs": self._level(count)} for count in sorted({_COARSE, min(_MIDDLE, bins), bins})
            ]
            size = len(json.dumps(levels, separators=(",", ":")))
            if size <= self.most_bytes * 2 // 3 or bins <= _COARSE:
                break
            bins //= 2
        return {"span": self._span, "levels": levels, "items": self._item_columns(), "windows": self._windows()}, bins

    def _windows(self) -> list[list[int]]:
        return [[low - self._begin, high - self._begin] for low, high in self.samples.windows_ns.tolist()][:500]

    def _item_columns(self) -> Mapping[str, Any]:
        rows = self._items
        names, number = np.unique(self.samples.name[rows], return_inverse=True)
        place = {lane: at for at, lane in enumerate(self.drawn)}
        begin = self.samples.begin_ns[rows] - self._begin
        return {
            "names": [_short(self.samples.names[k]) for k in names.tolist()],
            "name": number.tolist(),
            "lane": [place[k] for k in self.samples.lane[rows].tolist()],
            "begin": begin.tolist(),
            "duration": self.samples.duration_ns[rows].tolist(),
            "paint": [
                _paint_of(kind, device=self.samples.lanes[lane].device)
                for kind, lane in zip(self.samples.kind[rows].tolist(), self.samples.lane[rows].tolist(), strict=True)
            ],
        }

    @property
    def data(self) -> Mapping[str, Any]:
        """What the script reads."""
        ranks = self.lanes.ranks is not None
        return {
            **self._chosen[0],
            "lanes": [
                {"title": lane_name(self.samples.lanes[k], ranks=ranks), "device": self.samples.lanes[k].device}
                for k in self.drawn
            ],
            "host": [paint for paint, _, _ in _HOST],
            "work": [paint for paint, _, _ in _DEVICE],
            "shades": _SHADES,
            "texts": {
                "span": m("{from} to {to} of {whole}"),
                "event": m("{name}: {time}, from {from}"),
                "bin": m("{share} busy, {paint}"),
                "nothing": m("nothing"),
                "paints": {paint: label for paint, label, _ in (*_HOST, *_DEVICE)},
            },
        }


def _runs(classes: Sequence[Intervals], edges: IntArray) -> list[int]:
    """Runs of equal bins: [count, value, count, value, …]."""
    width = np.maximum(np.diff(edges), 1)
    reached = [found.covered_ns(edges[:-1], edges[1:]) for found in classes]
    own = np.stack([reached[0], *(b - a for a, b in pairwise(reached))])
    full = reached[-1] / width
    shade = np.ceil(full * _SHADES).astype(np.int64)
    value = np.where(shade > 0, own.argmax(axis=0) * _SHADES + shade, 0)
    starts = np.flatnonzero(np.concatenate([[True], value[1:] != value[:-1]]))
    counts = np.diff(np.append(starts, len(value)))
    return np.stack([counts, value[starts]], axis=1).reshape(-1).tolist()


def _paint_of(kind: int, *, device: bool) -> int:
    """The position of the colour of a kind."""
    return next((k for k, (_, _, kinds) in enumerate(_DEVICE if device else _HOST) if kind in kinds), 0)


def _short(text: str) -> str:
    shown = harmless(text)
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}…"
