"""Operations in which the elements of a row meet: softmax, norms, reductions, scans, orderings, and the Fourier transform.

Weights and conventions are those of `pointwise`; here an element is an element of the *input*.
"""

from __future__ import annotations

from math import log2, prod

from cyclescope.core.graph.op import OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved
from cyclescope.cost.pointwise import ADD, COMPARE, LOG_SOFTMAX, MULTIPLY, SOFTMAX, STANDARDIZE, TRANSCENDENTAL

# Square, sum, times the reciprocal root.
_ROOT_MEAN_SQUARE = MULTIPLY + ADD + MULTIPLY
# Means and variances are given: minus, times.
_STANDARDIZE_KNOWN = ADD + MULTIPLY

_REDUCTIONS = {
    **dict.fromkeys(("sum", "nansum", "mean", "prod", "trace", "count_nonzero", "histc", "bincount"), ADD),
    "_nested_tensor_from_mask_left_aligned": COMPARE,
    **dict.fromkeys(("max", "min", "amax", "amin", "argmax", "argmin", "median"), COMPARE),
    **dict.fromkeys(("any", "all", "_is_all_true", "_is_any_true", "equal"), COMPARE),
    "aminmax": 2 * COMPARE,
    **dict.fromkeys(("var", "std", "var_mean", "std_mean"), ADD + ADD + MULTIPLY + ADD),
    **dict.fromkeys(("linalg_vector_norm", "norm"), MULTIPLY + ADD),
    "logsumexp": COMPARE + ADD + TRANSCENDENTAL + ADD,
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), ADD),
    **dict.fromkeys(("adaptive_avg_pool1d", "_adaptive_avg_pool2d", "_adaptive_avg_pool3d"), ADD),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), COMPARE),
    **dict.fromkeys(("max_pool2d_with_indices", "max_pool3d_with_indices", "adaptive_max_pool2d"), COMPARE),
}
_SCANS = {
    "cumsum": ADD,
    "cumprod": MULTIPLY,
    "cummax": COMPARE,
    "cummin": COMPARE,
    "logcumsumexp": TRANSCENDENTAL + 2 * ADD,
}
_SOFTMAXES = {
    **dict.fromkeys(("_softmax", "softmax", "_safe_softmax", "_masked_softmax"), SOFTMAX),
    **dict.fromkeys(("_log_softmax", "log_softmax"), LOG_SOFTMAX),
}


def _elements(call: EngineCall) -> int:
    return call.reads[0].elements if call.reads else 0


def _by_weight(kind: OpKind, weight: int) -> Formula:
    def formula(call: EngineCall) -> OpCost:
        return OpCost(kind, moved(call, elementwise=weight * _elements(call)))

    return formula


def _norm(weight: int, affine_from: int) -> Formula:
    """A norm whose reads from `affine_from` on scale (first) and shift (second) the result, if they are there."""

    def formula(call: EngineCall) -> OpCost:
        affine = min(len(call.reads[affine_from:]), 2)
        return OpCost(OpKind.NORM, moved(call, elementwise=(weight + affine) * _elements(call)))

    return formula


def norm_with_statistics(call: EngineCall) -> OpCost:
    """Batch norm in inference: (input, scale, shift, mean, variance), of which scale and shift may be absent."""
    affine = 2 if len(call.reads) >= 5 else 0
    return OpCost(OpKind.NORM, moved(call, elementwise=(_STANDARDIZE_KNOWN + affine) * _elements(call)))


def weight_norm(call: EngineCall) -> OpCost:
    """`_weight_norm_interface` (v, g): a weight recomputed from its direction and its length, v · (g / ‖v‖)."""
    return OpCost(OpKind.NORM, moved(call, elementwise=_ROOT_MEAN_SQUARE * _elements(call)))


def ordering(call: EngineCall) -> OpCost:
    """`sort`, `argsort`, `topk`: n·log2(n) comparisons for rows of n elements; kept for the k greatest as well, since
    the engines sort or partition the whole row.
    """
    shape = call.reads[0].shape if call.reads else ()
    row = _axis(shape, call.integer("dim", -1))
    return OpCost(OpKind.REDUCTION, moved(call, elementwise=round(COMPARE * _elements(call) * _log2(row))))


def fourier(call: EngineCall) -> OpCost:
    """Fourier transform: 5·N·log2(N) operations for N complex points, half of that where one side is real.

    The convention of the field's benchmarks (Frigo and Johnson, fftw.org/speed): the count of the radix-2 algorithm,
    whatever algorithm runs and whatever N is. Argument `dim` names the transformed axes; without it, the last.
    """
    real = not call.name.endswith("c2c")
    # On either side of a real transform only the real tensor has all N points.
    points = max((*call.reads[:1], *call.writes[:1]), key=lambda spec: spec.elements, default=None)
    if points is None:
        return OpCost(OpKind.FFT, moved(call))
    axes = call.arguments.get("dim")
    dims = [d for d in axes if isinstance(d, int)] if isinstance(axes, list | tuple) else [-1]
    length = prod(_axis(points.shape, d) for d in dims)
    operations = 5 * points.elements * _log2(length) / (2 if real else 1)
    return OpCost(OpKind.FFT, moved(call, elementwise=round(operations)))


def triangular_solve(call: EngineCall) -> OpCost:
    """`linalg_solve_triangular` (A [..., n, n], B [..., n, k]): n / 2 multiply-adds an element of B, on average.

    Row follows upon row, so this is no matrix product and no FLOP of the model, as in the stock counters.
    """
    order = call.reads[0].shape[-1] if call.reads and call.reads[0].shape else 0
    return OpCost(OpKind.SCAN, moved(call, elementwise=order * call.result_elements))


def _axis(shape: tuple[int, ...], dim: int) -> int:
    """Length of axis `dim`; 1 where there is none (a scalar is a row of one)."""
    return shape[dim] if -len(shape) <= dim < len(shape) else 1


def _log2(length: int) -> float:
    return log2(length) if length > 1 else 0.0


FORMULAS: dict[str, Formula] = {
    **{f"aten.{name}": _by_weight(OpKind.SOFTMAX, weight) for name, weight in _SOFTMAXES.items()},
    **{f"aten.{name}": _by_weight(OpKind.REDUCTION, weight) for name, weight in _REDUCTIONS.items()},
    **{f"aten.{name}": _by_weight(OpKind.SCAN, weight) for name, weight in _SCANS.items()},
    "aten.native_layer_norm": _norm(STANDARDIZE, affine_from=1),
    "aten.layer_norm": _norm(STANDARDIZE, affine_from=1),
    "aten.native_group_norm": _norm(STANDARDIZE, affine_from=1),
    "aten._weight_norm_interface": weight_norm,
    "aten.rms_norm": _norm(_ROOT_MEAN_SQUARE, affine_from=1),
    "aten._fused_rms_norm": _norm(_ROOT_MEAN_SQUARE, affine_from=1),
    "aten.native_batch_norm": norm_with_statistics,
    "aten._native_batch_norm_legit_no_training": norm_with_statistics,
    "aten.cudnn_batch_norm": norm_with_statistics,
    "aten.sort": ordering,
    "aten.argsort": ordering,
    "aten.topk": ordering,
    "aten.kthvalue": ordering,
    "aten._fft_c2c": fourier,
    "aten._fft_r2c": fourier,
    "aten._fft_c2r": fourier,
    "aten.linalg_solve_triangular": triangular_solve,
}
