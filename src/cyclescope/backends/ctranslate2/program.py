"""An encoder that CTranslate2 has loaded, called with arrays; a call is one operation, for it tells of none inside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cyclescope.backends.artifacts.black_box_session import BlackBoxWatch
from cyclescope.backends.artifacts.program import Arrays, Node, Value
from cyclescope.backends.ctranslate2.standalone.ctranslate2_encoder import CTranslate2Encoder
from cyclescope.core.graph.op import Cost, OpKind

_CALL = "forward_batch"


class CTranslate2Program:
    """Implements `artifacts.program.Program` for an `encoder` of the converted `folder`. `work` tells what a call costs, `weights` what it
    holds, `class_name` what the model is.
    """

    engine = "ctranslate2"
    how = "the ends of each call"
    costs_inside = False

    def __init__(
        self,
        folder: Path,
        encoder: CTranslate2Encoder,
        *,
        work: Callable[[], Cost],
        weights: Value,
        class_name: str,
    ) -> None:
        self.files = files_of(folder)
        self._work, self._weights, self._class_name = work, weights, class_name
        self._encoder: CTranslate2Encoder | None = encoder

    def __call__(self, arrays: Arrays) -> Arrays:
        assert self._encoder is not None
        return vars(self._encoder(**arrays))

    def watch(self) -> BlackBoxWatch:
        return BlackBoxWatch(self, _CALL)

    def nodes(self, arrays: Arrays) -> tuple[Node, ...]:
        reads = [Value(name, array.shape, str(array.dtype)) for name, array in arrays.items()]
        writes = [Value(name, array.shape, str(array.dtype)) for name, array in self(arrays).items()]
        scope = (("", self._class_name),)
        node = Node(_CALL, _CALL, OpKind.OTHER, self._work(), (self._weights, *reads), tuple(writes), scope)
        return (node,)

    def close(self) -> None:
        self._encoder = None


def files_of(folder: Path) -> tuple[Path, ...]:
    """The files of a converted folder."""
    return tuple(sorted(path for path in folder.iterdir() if path.suffix in (".bin", ".json")))
