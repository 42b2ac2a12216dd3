"""The ONNX file of an encoder, by torch's exporter and ONNX Runtime's own optimizer for transformers, made once."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from hugging_face import config_of, feeds, model_of
from onnxruntime.transformers import optimizer
from serving import Job


class _Positional(torch.nn.Module):
    """The exporter hands tensors over by position, and wants tensors back."""

    def __init__(self, model: torch.nn.Module, names: list[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        given = self.model(**dict(zip(self.names, tensors, strict=True)))
        return given.last_hidden_state, given.pooler_output


def exported(job: Job) -> tuple[Path, str]:
    """The fused file in float32, and what the optimizer says that it fused.

    The exporter that writes from a trace is the one whose graphs the optimizer knows: it finds attention in none of the
    newer exporter's. With today's transformers its mask is wrong for padded batches; no case here is padded.
    """
    path, told = Path(job.kept, "fused.onnx"), Path(job.kept, "fused.txt")
    if not told.exists():
        model = model_of(job, attn_implementation="eager")
        inputs = feeds(job)[0]()
        names = list(inputs)
        plain = Path(job.kept, "plain.onnx")
        with torch.no_grad():
            torch.onnx.export(
                _Positional(model, names),
                tuple(inputs.values()),
                str(plain),
                input_names=names,
                output_names=["hidden", "pooled"],
                dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
                opset_version=17,
                dynamo=False,
            )
        config = config_of(job)
        made = optimizer.optimize_model(
            str(plain),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=1,
        )
        made.save_model_to_file(str(path))
        counts = made.get_fused_operator_statistics()
        told.write_text(", ".join(f"{count} {name}" for name, count in counts.items() if count))
        os.unlink(plain)
    return path, told.read_text()
