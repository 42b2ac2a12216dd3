"""What engines that run a model from a file tell nothing of: they have the wall clock, and that on the processor only."""

from __future__ import annotations

from cyclescope.core.graph import Graph
from cyclescope.core.samples import DeviceSamples, MemorySamples, ProcessorSamples


class WallOnly:
    """Those parts of `backends.base.Session`."""

    def resume(self) -> None:
        """Threads belong to the engine's own session, so there is nothing to put back."""

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        """The engine reuses one piece of memory for many tensors and tells of none."""
        return None

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        """The engine's counters know the wall clock only."""
        return None

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        """It runs on the processor."""
        return None
