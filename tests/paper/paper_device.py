"""A device on paper: a queue that the host fills and the device empties, and the marks that it would pass, to the nanosecond."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from paper_models import paper_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import DeviceSamples, UninstrumentedSamples
from cyclescope.core.units import IntArray

LATENCY_NS = 4_000


@dataclass(frozen=True)
class Planted:
    """One operation: Python before it, its host time up to the launch and after it, the kernel (0: launches nothing).

    With `waits` the host stays until the device has done everything.
    """

    kernel_ns: int
    python_ns: int = 3_000
    dispatch_ns: int = 4_000
    after_ns: int = 1_000
    waits: bool = False
    kind: OpKind = OpKind.ELEMENTWISE


@dataclass
class _Run:
    """A run in the making: where the host is, and until when the device has work."""

    mark_host_ns: int
    mark_device_ns: int
    host: int = 0
    device: int = 0

    def mark(self) -> int:
        self.host += self.mark_host_ns
        self.device = max(self.device, self.host + LATENCY_NS) + self.mark_device_ns
        return self.device

    def launch(self, kernel_ns: int) -> None:
        self.device = max(self.device, self.host + LATENCY_NS) + kernel_ns


def chain(ops: list[Planted]) -> Graph:
    """A graph of such operations, each reading what the one before wrote."""
    b = GraphBuilder()
    t = b.tensor((4,), role=TensorRole.INPUT)
    for op in ops:
        y = b.tensor((4,), storage=b.spec(t).storage) if op.kind is OpKind.VIEW else b.tensor((4,))
        b.op(op.kind.value, op.kind, [t], [y], Cost(0, 4, 16, 16))
        t = y
    return b.build()


def run(
    ops: list[Planted], *, hold_ns: int = 0, mark_host_ns: int = 0, mark_device_ns: int = 0
) -> tuple[IntArray, IntArray, int, IntArray, int]:
    """Begins, ends and last mark on the device's line; boundaries and return on the host's."""
    r = _Run(mark_host_ns, mark_device_ns)
    zero = r.mark()
    if hold_ns:
        r.launch(hold_ns)
    begins, ends, boundaries = [], [], [0]
    for op in ops:
        r.host += op.python_ns
        boundaries.append(r.host)
        begins.append(r.mark())
        r.host += op.dispatch_ns
        if op.kernel_ns:
            r.launch(op.kernel_ns)
        if op.waits:
            r.host = max(r.host, r.device)
        r.host += op.after_ns
        ends.append(r.mark())
        boundaries.append(r.host)
    last = r.mark()
    returned = r.host
    boundaries.append(max(r.host, r.device))
    marks = [np.asarray(column, dtype=np.int64) - zero for column in (begins, ends)]
    return marks[0], marks[1], last - zero, np.asarray(boundaries, dtype=np.int64), returned


def device_samples(
    ops: list[Planted],
    *,
    free: int = 4,
    held: int = 2,
    hold_ns: int = 0,
    mark_host_ns: int = 0,
    mark_device_ns: int = 0,
) -> DeviceSamples:
    """`free` runs as they are and `held` ones, held for `hold_ns` (as long as all operations take the host, unless given)."""
    hold_ns = hold_ns or 2 * sum(op.python_ns + op.dispatch_ns + op.after_ns + 3 * mark_host_ns for op in ops) + 50_000
    costs = {"mark_host_ns": mark_host_ns, "mark_device_ns": mark_device_ns}
    runs = [run(ops, **costs)] * free + [run(ops, hold_ns=hold_ns, **costs)] * held
    begin, end, last, boundaries, returned = zip(*runs, strict=True)
    return DeviceSamples(
        begin_ns=np.stack(begin),
        end_ns=np.stack(end),
        last_ns=np.asarray(last, dtype=np.int64),
        boundaries_ns=np.stack(boundaries),
        returned_ns=np.asarray(returned, dtype=np.int64),
        held=np.asarray([0] * free + [1] * held, dtype=np.int64),
        mark_host_ns=float(mark_host_ns),
        mark_device_ns=float(mark_device_ns),
    )


def device_cycle(ops: list[Planted], samples: DeviceSamples | None = None, **options: int) -> Cycle:
    """A cycle of `ops` on a device, with the wall that it has when nobody leaves marks."""
    samples = samples or device_samples(ops, **options)
    cycle = paper_cycle(chain(ops), launch_times(ops), pace=(1.0,))
    truth = run(ops)
    wall = np.full(len(cycle.samples.uninstrumented), truth[3][-1], dtype=np.int64)
    uninstrumented = UninstrumentedSamples(wall, wall, cycle.samples.uninstrumented.started_ns)
    return replace(
        cycle,
        plan=replace(cycle.plan, device="cuda:0"),
        machine=replace(cycle.machine, device="cuda:0", processor="Paper Accelerator"),
        samples=replace(cycle.samples, uninstrumented=uninstrumented, device=samples),
    )


def launch_times(ops: list[Planted]) -> IntArray:
    """What the instrumented runs sees: the host's time in every slot, the wait at the end in the last."""
    return np.diff(run(ops)[3])
