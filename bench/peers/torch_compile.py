"""torch.compile with frozen weights; a decoder with a static cache, as transformers' documentation has it."""

import torch
import torch._inductor.config
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    torch._inductor.config.freezing = True
    model = model_of(job, attn_implementation="sdpa")
    if job.new_tokens:
        model.forward = torch.compile(model.forward)
        return run_of(job, model, torch.no_grad, "static cache", cache_implementation="static")
    return run_of(job, torch.compile(model), torch.no_grad)


if __name__ == "__main__":
    serve(build)
