"""The two parts that are compiled, and only where they can be: see the C files. Everything else stands in pyproject.toml."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "cyclescope.backends.torch.stamping._stamp",
            ["src/cyclescope/backends/torch/stamping/_stamp.c"],
            optional=True,  # no compiler, no headers, another system: the shims in Python do the same
        ),
        Extension(
            "cyclescope.importing.parsing.scanning._scan",
            ["src/cyclescope/importing/parsing/scanning/_scan.c"],
            optional=True,  # traces are parsed in Python then, to the same columns
        ),
    ]
)
