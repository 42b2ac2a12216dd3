"""torch's own dynamic quantization of the linear layers, with its default settings."""

import torch
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    model = model_of(job, attn_implementation="sdpa")
    model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    return run_of(job, model, torch.inference_mode, torch.backends.quantized.engine)


if __name__ == "__main__":
    serve(build)
