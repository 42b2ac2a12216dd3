"""OpenVINO, told to compute in float32."""

from openvino_model import compiled, converted
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return compiled(job, converted(job), INFERENCE_PRECISION_HINT="f32")


if __name__ == "__main__":
    serve(build)
