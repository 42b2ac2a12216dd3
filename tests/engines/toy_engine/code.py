"""What the toy contributes to the code of a recipe."""

from __future__ import annotations

from cyclescope.backends.artifacts.code import ArtifactCode, ModelCode
from cyclescope.backends.code import CodeRequest, CodeSource


def _model(wanted: CodeRequest, place: str) -> ModelCode:
    return ModelCode(f"ToyModel({place}, config)", (CodeSource("toy_model", package="toy_engine"),))


CODE = ArtifactCode(_model, files=("toy.onnx",), opened="toy.onnx")
