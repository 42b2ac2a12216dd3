"""Every run of a model begins as the first did: what a run changes is put back before the next, outside of all clocks.

What hangs on the inputs (a cache of keys and values) goes back to what it was. Of the model itself only what changes from
run to run does, such as running statistics or a counter; a table that the first run makes is made once, as for its user.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch

from cyclescope.backends.torch.keeping.objects import Kept, StateDifference

_LOOKS = 2  # after the first run, and after the second: what that has changed again, every run changes


class Repeats:
    """Runs of `model` with `inputs`: call `begin` before each and `end` after it. Without a model, where nothing is the
    user's, nothing is kept.
    """

    def __init__(self, model: torch.nn.Module | None = None, inputs: Mapping[str, Any] | None = None) -> None:
        self._model = Kept([model]) if model is not None else None
        self._inputs = Kept([inputs])
        self._after_first: Kept | None = None
        self._moving: list[StateDifference] = []
        self.unsure = False  # a run has changed something, and another one must show whether each run does
        self._looks = _LOOKS if model is not None else 0

    def computing(self) -> AbstractContextManager[object]:
        """Inference mode. But what a model of the user's makes in its first run, it may keep for good, wherever that is,
        and it must be fit for training: so that run only goes without gradients.
        """
        return self.tracing() if self._looks == _LOOKS else torch.inference_mode()

    def tracing(self) -> AbstractContextManager[object]:
        """Without gradients; in inference mode where a run may write into tensors made in it, which is possible there only."""
        kept = (self._model, self._inputs)
        return torch.inference_mode() if any(k and k.has_inference_tensors for k in kept) else torch.no_grad()

    def begin(self) -> None:
        """Put back what the runs before have moved; before the first, what others have moved since these objects were
        seen, such as another session on the same model.
        """
        if self._looks == _LOOKS:
            self.restore()
        for difference in self._moving:
            difference.restore()

    def end(self) -> None:
        """See what the run has moved, as long as that is not known."""
        if self._looks:
            self._looks -= 1
            self._look()

    def restore(self) -> None:
        """Put everything back as it was before the first run."""
        self._inputs.restore()
        if self._model is not None:
            self._model.restore()

    def _look(self) -> None:
        assert self._model is not None
        if self._after_first is None:
            self.unsure = bool(self._model.differences())
            self._after_first = Kept(self._model.roots) if self.unsure else self._model
            self._moving = self._inputs.differences()
            return
        moved = self._after_first.differences()
        self._after_first, self.unsure = None, False
        self._moving = self._inputs.differences() + self._from_the_first(self._model, moved)

    def _from_the_first(self, model: Kept, moved: list[StateDifference]) -> list[StateDifference]:
        """What has `moved` in the second run, in the state of before the first. All that is not as it was where the first
        run made an object which the second has changed: then the second must make it, too.
        """
        places = [(model.place(difference.place.target), difference.parts) for difference in moved]
        if any(place is None for place, _ in places):
            return model.differences()
        return [StateDifference(place, parts) for place, parts in places if place is not None]
