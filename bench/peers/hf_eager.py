"""transformers as most examples call it, attention spelled out: what every speed-up here is told against."""

import torch
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return run_of(job, model_of(job, attn_implementation="eager"), torch.no_grad)


if __name__ == "__main__":
    serve(build)
