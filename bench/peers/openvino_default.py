"""OpenVINO as it comes: in bfloat16 where the processor has it, whatever the model is stored in."""

from openvino_model import compiled, converted
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return compiled(job, converted(job), "its own choice of precision")


if __name__ == "__main__":
    serve(build)
