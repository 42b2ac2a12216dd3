"""transformers with fused attention and without the records of autograd."""

import torch
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return run_of(job, model_of(job, attn_implementation="sdpa"), torch.inference_mode)


if __name__ == "__main__":
    serve(build)
