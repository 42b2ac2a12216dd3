"""Weights and activations of a model in 8 bits, with ranges of activations that are measured on samples."""

from __future__ import annotations

from typing import Any

from cyclescope.backends.exported.samples import Samples


def calibrated(model: Any, nncf: Any, samples: Samples) -> Any:
    """`model` (OpenVINO's) with what NNCF's post-training quantization makes of it for a transformer."""
    names = {name for value in model.inputs for name in value.names}
    given = [{name: array for name, array in arrays.items() if name in names} for arrays in samples.make()]
    return nncf.quantize(
        model,
        nncf.Dataset(given),
        subset_size=len(given),
        model_type=nncf.ModelType.TRANSFORMER,
    )
