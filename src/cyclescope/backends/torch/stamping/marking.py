"""instrumented runs that leave marks in a device's queue: when each operation's work began and ended there.

Some runs go as they are. In others the device is kept busy before each call of the model, so that the host runs ahead of
it: what lies between the two marks of an operation is then its work alone, and no waiting for a launch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np
import torch

from cyclescope.backends.torch.stamping.device import DeviceClock
from cyclescope.backends.torch.stamping.recorder import Alignment, Recorder, own_forward
from cyclescope.backends.torch.stamping.stamps import MarkedRecords, instrumented, rows_of
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.samples import DeviceSamples
from cyclescope.core.units import IntArray, Nanoseconds

_SETTLE = 2  # runs thrown away: in the first, events come to be, and the interpreter grows warm again
_MOST_HELD_RUNS = 10
_AHEAD = 2.0  # how many times the host's own time for a call the device is held before it
_MOST_HELD_NS = 100_000_000
_MARKS = 200  # in a row, to see what one takes


@dataclass(frozen=True, eq=False)
class _Run:
    """One run: marks [2, operations], the last mark, the stamps of the host, and whether the device was held."""

    marks: IntArray
    last_ns: int
    boundaries: IntArray
    returned_ns: int
    held: int


class Marking:
    """Runs `steps`, instrumented by `recorder` and laid beside the graph by `alignment`, with marks of `clock`.

    `prepare` is called before each run, outside of what is instrumented.
    """

    def __init__(
        self, steps: Steps, recorder: Recorder, alignment: Alignment, clock: DeviceClock, prepare: Callable[[], None]
    ) -> None:
        self._steps, self._recorder, self._alignment, self._clock = steps, recorder, alignment, clock
        self._prepare = prepare
        keys = recorder.keys
        self._records = MarkedRecords(clock.record, range(keys.first_module, keys.first_text))
        self._hold_ns = 0
        self._calls = 0

    def samples(self, cycles: int) -> DeviceSamples:
        """`cycles` runs as they are, and up to ten that are held. Raises `Misaligned`."""
        with torch.inference_mode(), self._clock.in_force():
            mark_host_ns, mark_device_ns = mark_costs(self._clock)
            with self._recorder.stamping(self._records), own_forward(self._steps.model, self._holding()):
                runs = [self._run() for _ in range(_SETTLE + cycles)][_SETTLE:]
                took = np.median([run.returned_ns for run in runs])
                self._hold_ns = min(_MOST_HELD_NS, int(_AHEAD * took / max(1, self._calls)))
                runs += [self._run() for _ in range(1 + min(cycles, _MOST_HELD_RUNS))][1:]
        return DeviceSamples(
            begin_ns=np.stack([run.marks[0] for run in runs]),
            end_ns=np.stack([run.marks[1] for run in runs]),
            last_ns=np.asarray([run.last_ns for run in runs], dtype=np.int64),
            boundaries_ns=np.stack([run.boundaries for run in runs]),
            returned_ns=np.asarray([run.returned_ns for run in runs], dtype=np.int64),
            held=np.asarray([run.held for run in runs], dtype=np.int64),
            mark_host_ns=mark_host_ns,
            mark_device_ns=mark_device_ns,
        )

    def _holding(self) -> Callable[..., Any]:
        """The model's `forward`, which counts its calls and holds the device before each."""
        forward = self._steps.model.forward

        def hold_and_call(*args: Any, **kwargs: Any) -> Any:
            self._calls += 1
            self._hold()
            return forward(*args, **kwargs)

        hold_and_call.__wrapped__ = forward  # type: ignore[attr-defined]  # `generate` reads its signature
        return hold_and_call

    def _hold(self) -> None:
        if self._hold_ns:
            # Its own calls are no operations of the model, though they may go through the same patch points.
            with self._records.looking_away():
                self._clock.hold(self._hold_ns)

    def _run(self) -> _Run:
        steps, records, clock, text = self._steps, self._records, self._clock, self._recorder.keys.first_text
        encode = instrumented(steps.encode, text, records) if steps.encode is not None else None
        read_out = instrumented(steps.read_out, text, records) if steps.read_out is not None else None
        self._prepare()
        records.clear()
        clock.rewind()
        self._calls = 0
        begin = perf_counter_ns()
        clock.record()
        inputs = encode() if encode is not None else steps.given
        self._hold()  # what runs before the first call of the model, and an encoder that is called by itself
        result = steps.run(inputs)
        if read_out is not None:
            read_out(result)
        last = clock.record()
        returned = perf_counter_ns()
        clock.wait()
        end = perf_counter_ns()
        rows, times = rows_of(records), clock.resolve()
        marks = self._alignment.marks(rows)
        boundaries = self._alignment.boundaries(rows, begin, end)
        return _Run(times[marks], int(times[last]), boundaries, returned - begin, int(self._hold_ns > 0))


def mark_costs(clock: DeviceClock) -> tuple[float, float]:
    """What leaving a mark takes the host, and what lies between two marks on the device, in nanoseconds: medians of many
    in a row, which the device only passes after all of them were left.
    """

    def leave() -> Nanoseconds:
        clock.rewind()
        begin = perf_counter_ns()
        for _ in range(_MARKS):
            clock.record()
        return perf_counter_ns() - begin

    leave()  # here the events come to be
    clock.wait()
    host_ns = leave()
    clock.wait()
    clock.hold(int(_AHEAD * host_ns))
    host_ns = min(host_ns, leave())
    clock.wait()
    return host_ns / _MARKS, float(np.median(np.diff(clock.resolve())))
