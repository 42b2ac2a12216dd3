"""What CTranslate2 contributes to the code of a recipe: its model is the folder of the code itself."""

from __future__ import annotations

from cyclescope.backends.artifacts.code import PADDED, ArtifactCode, ModelCode
from cyclescope.backends.code import OURS, CodeRequest, CodeSource
from cyclescope.backends.ctranslate2.computing import compute_type_of

_HERE = f"{OURS}.ctranslate2"
_FILES = (
    *("model.bin", "config.json"),
    *("vocabulary.json", "shared_vocabulary.json", "source_vocabulary.json", "target_vocabulary.json"),
)


def _model(wanted: CodeRequest, place: str) -> ModelCode:
    given = f"{place}, config, {wanted.plan.threads!r}, {compute_type_of(wanted.plan)!r}"
    rows = CodeSource("rows", package=_HERE)
    if not wanted.generates:
        return ModelCode(f"CTranslate2Encoder({given})", (rows, CodeSource("ctranslate2_encoder", package=_HERE)))
    return ModelCode(
        f"CTranslate2Writer({given}, **rules)",
        (rows, CodeSource("ctranslate2_writer", package=_HERE)),
        before=(*PADDED, "    rules = rules_of(generation_of(reference, config))"),
    )


CODE = ArtifactCode(_model, files=_FILES, steps_only=False)
