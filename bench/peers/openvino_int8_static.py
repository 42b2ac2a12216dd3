"""OpenVINO with weights and activations in 8 bits by NNCF's post-training quantization, calibrated on the input itself."""

import nncf
from hugging_face import feeds
from openvino_model import compiled, converted
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    samples = nncf.Dataset([feed() for feed in feeds(job, "np")])
    model = nncf.quantize(converted(job), samples, model_type=nncf.ModelType.TRANSFORMER)
    return compiled(job, model, INFERENCE_PRECISION_HINT="f32")


if __name__ == "__main__":
    serve(build)
