"""A session of ONNX Runtime on a file, with the threads of the job and every other setting as it comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime
from hugging_face import feeds
from serving import Job, Ready

onnxruntime.disable_telemetry_events()


def session_of(job: Job, path: Path, said: str) -> Ready:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = {value.name for value in session.get_inputs()}
    calls = feeds(job, "np")

    def encode() -> list[Any]:
        return [session.run(None, {n: v for n, v in feed().items() if n in names}) for feed in calls]

    return Ready(encode, lambda given: {"hidden": given[0], "pooled": given[1]}, said)
