"""The one part that is compiled, and only where it can be: see the C file. Everything else stands in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "cyclescope.backends.torch.stamping._stamp",
            ["src/cyclescope/backends/torch/stamping/_stamp.c"],
            optional=True,  # no compiler, no headers, another system: the shims in Python do the same
        )
    ]
)
