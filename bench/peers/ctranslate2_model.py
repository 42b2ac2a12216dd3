"""CTranslate2: the folder converted once, and an encoder or a generator on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.converters import TransformersConverter
from hugging_face import config_of, feeds
from serving import Job, Ready
from transformers import AutoTokenizer


def ready(job: Job, compute_type: str) -> Ready:
    folder = Path(job.kept, "ctranslate2")
    if not (folder / "model.bin").exists():
        TransformersConverter(job.model).convert(str(folder), force=True)
    settings = {"device": "cpu", "compute_type": compute_type, "intra_threads": job.threads, "inter_threads": 1}
    return _writer(job, folder, settings) if job.new_tokens else _encoder(job, folder, settings)


def _encoder(job: Job, folder: Path, settings: dict[str, Any]) -> Ready:
    model = ctranslate2.Encoder(str(folder), **settings)
    calls = feeds(job, "np")

    def encode() -> list[Any]:
        return [model.forward_batch(feed()["input_ids"].tolist()) for feed in calls]

    def read(given: Any) -> dict[str, Any]:
        named = {"hidden": given.last_hidden_state, "pooled": given.pooler_output}
        return {name: np.array(value) for name, value in named.items() if value is not None}

    return Ready(encode, read)


def _writer(job: Job, folder: Path, settings: dict[str, Any]) -> Ready:
    model = ctranslate2.Generator(str(folder), **settings)
    tokenizer = AutoTokenizer.from_pretrained(job.model)
    assert len(tokenizer) >= config_of(job).vocab_size
    calls = feeds(job, "np")

    def write() -> list[Any]:
        return [
            model.generate_batch(
                [tokenizer.convert_ids_to_tokens(row) for row in feed()["input_ids"].tolist()],
                max_length=job.new_tokens,
                min_length=job.new_tokens,
                sampling_topk=1,
                include_prompt_in_result=False,
            )
            for feed in calls
        ]

    return Ready(write, lambda given: {"tokens": np.asarray([one.sequences_ids[0] for one in given], dtype=np.int64)})
