"""An exported graph, evaluated node by node in numpy; a call is one operation for the report."""

from __future__ import annotations

from pathlib import Path

from cyclescope.backends.artifacts.black_box_session import BlackBoxWatch
from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.exported_model import AttentionForm, Exported
from cyclescope.backends.artifacts.program import Arrays, Node, Value
from cyclescope.backends.artifacts.samples import CalibrationInputs
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from toy_engine.standalone.toy_model import ToyModel

FILE = "toy.onnx"
_CALL = "evaluate"


class ToyProgram:
    """Implements `artifacts.program.Program`."""

    engine = "toy"
    how = "the ends of each call"
    costs_inside = False

    def __init__(self, folder: Path) -> None:
        self.files = tuple(sorted(folder.glob("toy.onnx*")))
        self._model = ToyModel(str(folder / FILE), None)

    def __call__(self, arrays: Arrays) -> Arrays:
        return dict(vars(self._model(**arrays)))

    def watch(self) -> BlackBoxWatch:
        return BlackBoxWatch(self, _CALL)

    def nodes(self, arrays: Arrays) -> tuple[Node, ...]:
        reads = tuple(Value(name, array.shape, str(array.dtype)) for name, array in arrays.items())
        writes = tuple(Value(name, array.shape, str(array.dtype)) for name, array in self(arrays).items())
        return (Node(_CALL, _CALL, OpKind.OTHER, Cost(read_bytes=1), reads, writes, (("", "ToyModel"),)),)

    def close(self) -> None:
        """It holds nothing."""


def _build(exported: Exported, plan: Plan, machine: Machine, folder: Path, samples: CalibrationInputs) -> ToyProgram:
    def copy() -> None:
        import onnx

        onnx.save_model(onnx.load(str(exported.path)), str(folder / FILE))

    build_once(folder, copy)
    return ToyProgram(folder)


RUNTIME = Runtime((AttentionForm.SPELLED_OUT,), _build)
