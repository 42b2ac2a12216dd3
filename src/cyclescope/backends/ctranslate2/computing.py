"""In which numbers CTranslate2 computes a plan."""

from __future__ import annotations

from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization

_DTYPES = ("float32", "bfloat16", "float16")
_QUANTIZATIONS = ("off", "int8-dynamic")


def compute_type_of(plan: Plan) -> str:
    """The engine's name for the precision of `plan`. Raises `Unsupported` for what it has not."""
    if plan.quantization not in _QUANTIZATIONS:
        raise Unsupported(
            m(
                "CTranslate2 does not support the quantization {quantization}.",
                quantization=repr(plan.quantization.value),
            ),
            "",
            m("Use {quantizations}.", quantizations=", ".join(_QUANTIZATIONS)),
        )
    if plan.dtype not in _DTYPES:
        raise Unsupported(
            m("CTranslate2 does not compute in {dtype}.", dtype=plan.dtype),
            "",
            m("Use {dtypes}.", dtypes=", ".join(_DTYPES)),
        )
    return plan.dtype if plan.quantization == Quantization.OFF else f"int8_{plan.dtype}"


def refuse_on_this_processor(plan: Plan) -> None:
    """Raise `Unsupported` where the engine has no kernels for `plan` here."""
    import ctranslate2

    wanted, there = compute_type_of(plan), ctranslate2.get_supported_compute_types("cpu")
    if wanted not in there:
        raise Unsupported(
            m("CTranslate2 does not compute in {wanted} on this processor.", wanted=wanted),
            m("It supports {names} here.", names=", ".join(sorted(there))),
            m("Leave --dtype out."),
        )
