"""What the peers on transformers share: the model from its folder, and the loop that a user writes around it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from serving import Job, Outputs, Ready, inputs_of
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as said

said.set_verbosity_error()
said.disable_progress_bar()
logging.disable(logging.WARNING)


def model_of(job: Job, **settings: Any) -> Any:
    """The model in float32 unless `settings` say otherwise, on as many threads as the job has."""
    torch.set_num_threads(job.threads)
    kind = AutoModelForCausalLM if job.new_tokens else AutoModel
    return kind.from_pretrained(job.model, **{"dtype": torch.float32, **settings}).eval()


def config_of(job: Job) -> Any:
    return AutoConfig.from_pretrained(job.model)


def feeds(job: Job, form: str = "pt") -> list[Callable[[], dict[str, Any]]]:
    """For every call of a cycle what makes its inputs: the tokenizer where there are texts, as it is called in every
    cycle, else the arrays that are there. `form` is `pt` or `np`.
    """
    if job.texts:
        tokenizer = AutoTokenizer.from_pretrained(job.model)
        return [lambda text=text: dict(tokenizer([text], return_tensors=form)) for text in job.texts]
    arrays: dict[str, Any] = inputs_of(job)
    if form == "pt":
        arrays = {name: torch.from_numpy(value) for name, value in arrays.items()}
    return [lambda: arrays]


def hidden_of(given: Any) -> Outputs:
    """Hidden states and pooled vectors of what an encoder gave."""
    named = {"hidden": given["last_hidden_state"], "pooled": given.get("pooler_output")}
    return {name: value.float() for name, value in named.items() if value is not None}


def run_of(job: Job, model: Any, guard: Callable[[], Any], said: str = "", **generate: Any) -> Ready:
    """A cycle that calls `model`, or its `generate` where tokens are written, inside `guard()`."""
    calls = feeds(job)
    if not job.new_tokens:

        def encode() -> list[Any]:
            with guard():
                return [model(**feed()) for feed in calls]

        return Ready(encode, hidden_of, said)
    settings = {"max_new_tokens": job.new_tokens, "min_new_tokens": job.new_tokens, "do_sample": False, **generate}

    def write() -> list[Any]:
        with guard():
            return [model.generate(**feed(), **settings)[:, -job.new_tokens :] for feed in calls]

    return Ready(write, lambda given: {"tokens": given}, said)
