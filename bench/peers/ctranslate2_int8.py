"""CTranslate2 in int8."""

from ctranslate2_model import ready
from serving import Job, Ready, serve


def build(job: Job) -> Ready:
    return ready(job, "int8")


if __name__ == "__main__":
    serve(build)
