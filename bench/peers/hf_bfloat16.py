"""transformers in bfloat16, which some processors have instructions for and others imitate."""

import torch
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return run_of(job, model_of(job, attn_implementation="sdpa", dtype=torch.bfloat16), torch.inference_mode)


if __name__ == "__main__":
    serve(build)
