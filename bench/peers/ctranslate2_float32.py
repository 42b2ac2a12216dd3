"""CTranslate2 in float32."""

from ctranslate2_model import ready
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return ready(job, "float32")


if __name__ == "__main__":
    serve(build)
