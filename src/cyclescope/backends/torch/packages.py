"""The packages whose versions a measurement on PyTorch depends on."""

from __future__ import annotations

OWN = ("torch",)
READS_WITH = ("transformers",)
COMPANIONS = ("tokenizers", "safetensors")
PACKAGES = (*OWN, *READS_WITH, *COMPANIONS)
