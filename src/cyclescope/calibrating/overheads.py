"""What the engine takes at least: to dispatch an operation, to call a module, to launch a kernel."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.backends.probing import Probes
from cyclescope.calibrating.estimate import undisturbed_ns
from cyclescope.calibrating.rounds import TimedBlock
from cyclescope.core.ceilings import Figure, Overheads


@dataclass(frozen=True, eq=False)
class Calls:
    """The pieces behind the overheads; `dispatch` by the name of the operation."""

    dispatch: dict[str, TimedBlock]
    module_call: TimedBlock | None
    launch: TimedBlock | None

    @property
    def pieces(self) -> tuple[TimedBlock, ...]:
        return (*self.dispatch.values(), *(piece for piece in (self.module_call, self.launch) if piece is not None))

    def overheads(self) -> Overheads:
        """The cheapest operation, the module call and the launch."""
        dispatched = [undisturbed_ns(piece.samples_ns, name) for name, piece in self.dispatch.items()]
        return Overheads(
            dispatch_ns=min(dispatched, key=lambda figure: figure.value, default=None),
            module_call_ns=_figure(self.module_call, "a module that does nothing"),
            launch_ns=_figure(self.launch, "add_ on one number, back to back"),
        )


def calls(probes: Probes) -> Calls:
    """Everything of that kind that the engine has."""
    module_call, launch = probes.module_call(), probes.launch()
    return Calls(
        dispatch={name: TimedBlock(timer) for name, timer in probes.dispatch().items()},
        module_call=TimedBlock(module_call) if module_call is not None else None,
        launch=TimedBlock(launch) if launch is not None else None,
    )


def _figure(piece: TimedBlock | None, source: str) -> Figure | None:
    return undisturbed_ns(piece.samples_ns, source) if piece is not None else None
