"""OpenVINO with weights in 8 bits by NNCF, activations quantized as they come where the plugin does so by itself."""

import nncf
from openvino_model import compiled, converted
from openvino_writer import stateful, writing
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    source = stateful(job) if job.new_tokens else converted(job)
    model = nncf.compress_weights(source, mode=nncf.CompressWeightsMode.INT8_SYM)
    run = writing if job.new_tokens else compiled
    return run(job, model, INFERENCE_PRECISION_HINT="f32", DYNAMIC_QUANTIZATION_GROUP_SIZE=32)


if __name__ == "__main__":
    serve(build)
