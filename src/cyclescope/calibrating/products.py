"""Matrix products: of each type, number of rows and threads the shape that runs best, and how fast it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cyclescope.backends.probing import Probes
from cyclescope.calibrating.estimate import rate
from cyclescope.calibrating.probe_plan import ProbePlan, device_shapes, matrix_shapes
from cyclescope.calibrating.rounds import TimedBlock
from cyclescope.core.ceilings import Figure, ProductCeiling
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import NS_PER_S
from cyclescope.machines.caches import CacheLevel

# A type that is so much slower than float32 is emulated number by number; one look at it says all.
EMULATED_FACTOR = 20
_JUDGED_ROWS = 64  # enough that the arithmetic decides and not the call
SCOUTED = 2  # slices of each shape before one is chosen


@dataclass(frozen=True, eq=False)
class Product:
    """One product that is timed: [rows, depth] times [depth, width]."""

    dtype: str
    rows: int
    depth: int
    width: int
    threads: int
    piece: TimedBlock

    @property
    def flops(self) -> int:
        return 2 * self.rows * self.depth * self.width

    def ceiling(self) -> ProductCeiling:
        """What it reached."""
        source = f"F.linear [{self.rows}, {self.depth}] x [{self.depth}, {self.width}]"
        return ProductCeiling(self.dtype, self.rows, self.threads, rate(self.piece.samples_ns, self.flops, source))


@dataclass(frozen=True, eq=False)
class Scouted:
    """The products that are worth timing, and what was seen of the types that are not."""

    products: tuple[Product, ...]
    emulated: tuple[ProductCeiling, ...]


def scout(
    probes: Probes,
    caches: Sequence[CacheLevel],
    wanted: ProbePlan,
    notify: Notify = silent,
    has_time: Callable[[], bool] = lambda: True,
) -> Scouted:
    """Try every shape shortly and keep the best of each type, number of rows and number of threads; the smallest where
    there is no time to try them.
    """
    products: list[Product] = []
    emulated: list[ProductCeiling] = []
    reference = None
    for place, dtype in enumerate(wanted.dtypes):
        item_bytes = probes.item_bytes(dtype)
        if item_bytes is None:
            continue
        shapes = device_shapes(wanted.shapes) if wanted.on_device else matrix_shapes(item_bytes, caches, wanted.shapes)
        first = _first(probes, dtype, shapes[-1], wanted.threads[0])
        reached = first.flops_per_s.value
        reference = reference or reached
        if reached * EMULATED_FACTOR < reference:
            emulated.append(first)
            continue
        for step, rows in enumerate(wanted.rows):
            notify("shapes", (place + step / len(wanted.rows)) / len(wanted.dtypes))
            products += [
                _best(probes, dtype, rows, threads, shapes if has_time() else shapes[-1:]) for threads in wanted.threads
            ]
    return Scouted(tuple(products), tuple(emulated))


def _first(probes: Probes, dtype: str, shape: tuple[int, int], threads: int) -> ProductCeiling:
    """What `dtype` reaches in one single product."""
    depth, width = shape
    elapsed_ns = max(1, probes.product(dtype, _JUDGED_ROWS, depth, width, threads)(1))
    reached = 2 * _JUDGED_ROWS * depth * width * NS_PER_S / elapsed_ns
    source = f"F.linear [{_JUDGED_ROWS}, {depth}] x [{depth}, {width}], once: too slow for more"
    return ProductCeiling(dtype, _JUDGED_ROWS, threads, Figure(reached, reached, reached, 1, source))


def _best(probes: Probes, dtype: str, rows: int, threads: int, shapes: Sequence[tuple[int, int]]) -> Product:
    """The fastest of `shapes`; what was timed until then does not count among its samples."""
    candidates = [
        Product(dtype, rows, depth, width, threads, TimedBlock(probes.product(dtype, rows, depth, width, threads)))
        for depth, width in shapes
    ]
    if len(candidates) > 1:
        for candidate in candidates:
            for _ in range(SCOUTED):
                candidate.piece.sample()
    best = max(candidates, key=lambda c: c.flops / min(c.piece.samples_ns, default=1.0))
    best.piece.samples_ns.clear()
    return best
