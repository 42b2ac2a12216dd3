"""ONNX Runtime in float32, fused by its optimizer for transformers."""

from onnx_file import exported
from onnx_session import session_of
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return session_of(job, *exported(job))


if __name__ == "__main__":
    serve(build)
