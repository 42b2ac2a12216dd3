"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

from cyclescope.core.message import Text
from cyclescope.core.units import Nanoseconds

Notify: TypeAlias = Callable[[str, float], None]
"""Called with the name of a phase and how much of it is done, 0 … 1."""


@runtime_checkable
class Detailed(Protocol):
    """A `Notify` that can say more than the phase."""

    def __call__(self, phase: str, done: float) -> None: ...

    def detail(self, now: Text, best: Text | None, left_ns: Nanoseconds | None) -> None:
        """Said just before the phase: what is run `now`, the `best` so far (None: as before), and how long it will take
        until everything is done (None: unknown; what was said before runs down by itself).
        """
        ...


def silent(phase: str, done: float) -> None:
    """Progress that is not shown."""


def tell(
    notify: Notify,
    phase: str,
    done: float,
    *,
    now: Text = "",
    best: Text | None = None,
    left_ns: Nanoseconds | None = None,
) -> None:
    """Call `notify`, with what `Detailed.detail` takes where it can show that; a plain function gets the phase alone."""
    if isinstance(notify, Detailed):
        notify.detail(now, best, left_ns)
    notify(phase, done)


def with_time_left(notify: Notify, now_ns: Callable[[], Nanoseconds], stop_ns: Nanoseconds) -> Notify:
    """`notify`, told with every phase how long it is until `stop_ns` on the clock of `now_ns`."""

    def told(phase: str, done: float) -> None:
        tell(notify, phase, done, left_ns=max(0, stop_ns - now_ns()))

    return told
