"""OpenVINO, told to compute in float32."""

from openvino_model import compiled, converted
from openvino_writer import stateful, writing
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    if job.new_tokens:
        return writing(job, stateful(job), INFERENCE_PRECISION_HINT="f32", KV_CACHE_PRECISION="f32")
    return compiled(job, converted(job), INFERENCE_PRECISION_HINT="f32")


if __name__ == "__main__":
    serve(build)
