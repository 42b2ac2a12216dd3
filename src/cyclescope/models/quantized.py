"""Checkpoints whose weights are stored quantized: what their configuration says of it, and which packages read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import Text, listed, m

# What transformers 5.24 asks for by each method, by the name of the module: the package that has it. Methods that it knows
# beside these ask for themselves, when the weights are read.
_ACCELERATE = {"accelerate": "accelerate"}
_READERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "bitsandbytes": {**_ACCELERATE, "bitsandbytes": "bitsandbytes"},
        "gptq": {"optimum": "optimum", "gptqmodel": "gptqmodel"},
        "awq": {**_ACCELERATE, "gptqmodel": "gptqmodel"},
        "fp8": _ACCELERATE,
        "fbgemm_fp8": _ACCELERATE,
        "bitnet": _ACCELERATE,
        "mxfp4": {**_ACCELERATE, "kernels": "kernels"},
        "torchao": {"torchao": "torchao"},
        "compressed-tensors": {"compressed_tensors": "compressed-tensors"},
        "quanto": {"optimum": "optimum-quanto"},
        "hqq": {"hqq": "hqq"},
        "aqlm": {**_ACCELERATE, "aqlm": "aqlm"},
        "eetq": {**_ACCELERATE, "kernels": "kernels"},
        "auto-round": {"auto_round": "auto-round"},
    }
)
_BITS_OF_METHOD = {"fp8": 8, "fbgemm_fp8": 8, "mxfp4": 4, "nvfp4": 4, "mxfp8": 8, "eetq": 8}
_BITS_KEYS = ("bits", "w_bit", "nbits", "weight_bits")


@dataclass(frozen=True, slots=True)
class StoredQuantization:
    """How weights are stored: the method as transformers names it, and the bits of a weight (0: not said)."""

    method: str
    bits: int

    @property
    def words(self) -> Text:
        """In words: `bitsandbytes, 4 bits`."""
        return m("{method}, {bits} bits", method=self.method, bits=self.bits) if self.bits else self.method


def quantization_of(config: Mapping[str, Any]) -> StoredQuantization | None:
    """What the `quantization_config` of a `config.json` says; None without one."""
    said = config.get("quantization_config")
    if not isinstance(said, Mapping) or not said:
        return None
    four, eight = said.get("load_in_4bit") or said.get("_load_in_4bit"), said.get("load_in_8bit")
    method = said.get("quant_method") or ("bitsandbytes" if four or eight else "unknown")
    method = str(getattr(method, "value", method))
    bits = next((bits for key in _BITS_KEYS if isinstance(bits := said.get(key), int)), 0)
    return StoredQuantization(method, bits or (4 if four else 8 if eight else _BITS_OF_METHOD.get(method, 0)))


def require_reader(stored: StoredQuantization, reference: str) -> None:
    """Raise `MissingExtra` where a package that reads weights of this kind is not installed."""
    packages = _READERS.get(stored.method, {})
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        raise MissingExtra(
            m("The weights of {reference} are stored quantized ({how}).", reference=reference, how=stored.words),
            m("Not installed: {packages}.", packages=listed(missing)),
            m(
                "Install what reads them: {command}. --weights random measures the architecture in float32.",
                command=f"pip install {' '.join(missing)}",
            ),
        )


def ignored(stored: StoredQuantization) -> Text:
    """That the structure or the random weights of a model are not those of its checkpoint."""
    return m(
        "The checkpoint stores its weights quantized ({how}); here they are computed as those of a model that is not quantized.",
        how=stored.words,
    )
