"""What OpenVINO contributes to the code of a recipe."""

from __future__ import annotations

from cyclescope.backends.artifacts.code import ArtifactCode, ModelCode, stepped
from cyclescope.backends.code import OURS, CodeRequest, CodeSource
from cyclescope.backends.openvino.computing import cache_precision_of, group_of, precision_of

_HERE = f"{OURS}.openvino"


def _model(wanted: CodeRequest, place: str) -> ModelCode:
    plan = wanted.plan
    given = f"{plan.threads!r}, {precision_of(plan)!r}, {group_of(plan)}"
    if wanted.generates:
        sources = (
            CodeSource("openvino_model", ("plugin_settings",), _HERE),
            CodeSource("openvino_stepper", package=_HERE),
        )
        compiled = f"compiled_decoder({place}, {given}, {cache_precision_of(plan)!r})"
        return stepped(wanted, f"OpenVinoStepper({compiled})", sources)
    return ModelCode(f"OpenVinoModel({place}, config, {given})", (CodeSource("openvino_model", package=_HERE),))


CODE = ArtifactCode(_model, files=("model.xml", "model.bin"), opened="model.xml")
