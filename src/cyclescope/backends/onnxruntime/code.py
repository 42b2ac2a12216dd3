"""What ONNX Runtime contributes to the code of a recipe."""

from __future__ import annotations

from cyclescope.backends.artifacts.code import ArtifactCode, ModelCode, stepped
from cyclescope.backends.code import OURS, CodeRequest, CodeSource

_HERE = f"{OURS}.onnxruntime"


def _model(wanted: CodeRequest, place: str) -> ModelCode:
    threads = f"{wanted.plan.threads!r}, {wanted.plan.threads_between!r}"
    if wanted.generates:
        sources = CodeSource("onnx_model", ("session_options",), _HERE), CodeSource("onnx_stepper", package=_HERE)
        return stepped(wanted, f"OnnxStepper({place}, {threads})", sources)
    return ModelCode(f"OnnxModel({place}, config, {threads})", (CodeSource("onnx_model", package=_HERE),))


CODE = ArtifactCode(_model, files=("engine.onnx", "engine.onnx.weights"), opened="engine.onnx")
