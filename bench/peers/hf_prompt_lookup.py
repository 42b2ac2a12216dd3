"""transformers' prompt lookup decoding, with the number of tokens of its documentation."""

import torch
from hugging_face import model_of, run_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return run_of(job, model_of(job), torch.inference_mode, prompt_lookup_num_tokens=10)


if __name__ == "__main__":
    serve(build)
