"""OpenVINO with weights in 8 bits by NNCF, activations quantized as they come where the plugin does so by itself."""

import nncf
from openvino_model import compiled, converted
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    model = nncf.compress_weights(converted(job), mode=nncf.CompressWeightsMode.INT8_SYM)
    return compiled(job, model, INFERENCE_PRECISION_HINT="f32", DYNAMIC_QUANTIZATION_GROUP_SIZE=32)


if __name__ == "__main__":
    serve(build)
