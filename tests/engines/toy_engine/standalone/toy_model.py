"""A model in a file, evaluated by ONNX's reference."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


class GatherElements(OpRun):
    """The reference has it for one shape of rows only."""

    def _run(self, data: Any, indices: Any, axis: int = 0) -> tuple[Any]:
        return (numpy.take_along_axis(data, indices, axis=axis),)


class ToyModel:
    """Called with arrays by name; gives its outputs as attributes."""

    def __init__(self, path: str, config: Any) -> None:
        self.config = config
        self._evaluator = ReferenceEvaluator(onnx.load(path), new_ops=[GatherElements])

    def __call__(self, **arrays: Any) -> SimpleNamespace:
        given = {name: numpy.asarray(arrays[name]) for name in self._evaluator.input_names if name in arrays}
        return SimpleNamespace(**dict(zip(self._evaluator.output_names, self._evaluator.run(None, given), strict=True)))
