"""ONNX Runtime with dynamically quantized products, signed weights, one scale for each weight matrix."""

from pathlib import Path

from onnx import TensorProto
from onnx_file import exported
from onnx_session import session_of
from onnxruntime.quantization import QuantType, quantize_dynamic
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    source, said = exported(job)
    path = Path(job.kept, "int8.onnx")
    if not path.exists():
        # The type is that of what fused operations give, which shape inference does not know; as ONNX Runtime's own helper
        # for transformers has it.
        quantize_dynamic(
            str(source),
            str(path),
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
    return session_of(job, path, said)


if __name__ == "__main__":
    serve(build)
