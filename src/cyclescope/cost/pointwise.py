"""Arithmetic of operations that treat every element alike, and the weights by which all elementwise work is counted.

The weights are those of the Livermore Fortran Kernels (McMahon, 1986, UCRL-53745; netlib.org/benchmark/livermore):
add, subtract, multiply and compare 1, divide and square root 4, exponential and other transcendental functions 8. They
stand for what the work costs next to an addition, on no machine in particular. Whoever wants a plain count of
operations must not use these figures: a softmax is 15 here, 5 in a count that takes exp and divide as one.

Everything else is its formula written out: a sigmoid 1 / (1 + exp(−x)) is a negation, an exponential, an addition and a
division, 1 + 8 + 1 + 4 = 14. An element is an element of the result. Copying, casting and choosing by position are no
arithmetic (see `movement`). Work done once a row (the division of a mean, the root of a variance) and scalar factors
(`alpha`, `beta`) are left out.
"""

from __future__ import annotations

from cyclescope.core.graph.op import OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved

ADD = 1
MULTIPLY = 1
COMPARE = 1
DIVIDE = 4
ROOT = 4
TRANSCENDENTAL = 8

SIGMOID = ADD + TRANSCENDENTAL + ADD + DIVIDE
SOFTPLUS = TRANSCENDENTAL + ADD + TRANSCENDENTAL
# x/2 · (1 + erf(x/√2)), and x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) (Hendrycks and Gimpel, 2016).
GELU_ERF = MULTIPLY + TRANSCENDENTAL + ADD + 2 * MULTIPLY
GELU_TANH = 3 * MULTIPLY + ADD + MULTIPLY + TRANSCENDENTAL + ADD + 2 * MULTIPLY
# Greatest of the row, minus it, exponential, sum, divided by it.
SOFTMAX = COMPARE + ADD + TRANSCENDENTAL + ADD + DIVIDE
# Greatest of the row, minus it, exponential, sum, minus its logarithm.
LOG_SOFTMAX = COMPARE + ADD + TRANSCENDENTAL + ADD + ADD
# Sum for the mean, minus it, square, sum for the variance, times the reciprocal root.
STANDARDIZE = ADD + ADD + MULTIPLY + ADD + MULTIPLY
LAYER_NORM = STANDARDIZE + MULTIPLY + ADD

_ACTIVATIONS = {
    "relu": COMPARE,
    "relu6": 2 * COMPARE,
    "hardtanh": 2 * COMPARE,
    "threshold": COMPARE,
    "leaky_relu": COMPARE + MULTIPLY,
    "prelu": COMPARE + MULTIPLY,
    "_prelu_kernel": COMPARE + MULTIPLY,
    "rrelu_with_noise": COMPARE + MULTIPLY,
    "elu": COMPARE + TRANSCENDENTAL + ADD + MULTIPLY,
    "celu": COMPARE + DIVIDE + TRANSCENDENTAL + ADD + MULTIPLY,
    "selu": COMPARE + TRANSCENDENTAL + ADD + 2 * MULTIPLY,
    "sigmoid": SIGMOID,
    "log_sigmoid_forward": SOFTPLUS + ADD,
    "tanh": TRANSCENDENTAL,
    "silu": SIGMOID + MULTIPLY,
    "glu": SIGMOID + MULTIPLY,
    "softplus": SOFTPLUS,
    "mish": SOFTPLUS + TRANSCENDENTAL + MULTIPLY,
    "hardsigmoid": ADD + 2 * COMPARE + MULTIPLY,
    "hardswish": ADD + 2 * COMPARE + 2 * MULTIPLY,
    "hardshrink": 2 * COMPARE,
    "softshrink": 2 * COMPARE + ADD,
}

_ELEMENTWISE = {
    **dict.fromkeys(("add", "sub", "rsub", "mul", "neg", "negative", "abs", "sign", "sgn", "square"), ADD),
    **dict.fromkeys(("ceil", "floor", "round", "trunc", "frac", "positive"), ADD),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "clamp_min", "clamp_max"), COMPARE),
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), COMPARE),
    **dict.fromkeys(("isnan", "isinf", "isfinite", "isposinf", "isneginf"), COMPARE),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor", "logical_not"), COMPARE),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"), COMPARE),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift", "__lshift__", "__rshift__"), ADD),
    **dict.fromkeys(("where", "masked_fill", "nan_to_num", "heaviside"), COMPARE),
    **dict.fromkeys(("div", "true_divide", "floor_divide", "remainder", "fmod", "reciprocal"), DIVIDE),
    **dict.fromkeys(("clamp", "clip", "isin", "bucketize", "searchsorted"), 2 * COMPARE),
    **dict.fromkeys(("addcmul", "lerp"), 2 * MULTIPLY + ADD),
    "addcdiv": DIVIDE + MULTIPLY + ADD,
    "sqrt": ROOT,
    "rsqrt": ROOT + DIVIDE,
    **dict.fromkeys(("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "erf", "erfc", "erfinv"), TRANSCENDENTAL),
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "sinc"), TRANSCENDENTAL),
    **dict.fromkeys(("asinh", "acosh", "atanh", "lgamma", "digamma", "angle", "polar"), TRANSCENDENTAL),
    "logit": DIVIDE + ADD + TRANSCENDENTAL,
    "xlogy": TRANSCENDENTAL + MULTIPLY,
    "logaddexp": COMPARE + ADD + TRANSCENDENTAL + ADD + TRANSCENDENTAL + ADD,
    "complex": 0,
    # Weighted sums of the 2, 4, 8 or 16 nearest elements of the input.
    "upsample_linear1d": 2 * MULTIPLY + ADD,
    **dict.fromkeys(("upsample_bilinear2d", "_upsample_bilinear2d_aa", "grid_sampler_2d"), 4 * MULTIPLY + 3 * ADD),
    "upsample_trilinear3d": 8 * MULTIPLY + 7 * ADD,
    **dict.fromkeys(("upsample_bicubic2d", "_upsample_bicubic2d_aa"), 16 * MULTIPLY + 15 * ADD),
    # A coin and a choice an element; in inference dropout is absent, and the call does not happen.
    **dict.fromkeys(("native_dropout", "bernoulli", "rand_like", "randn_like", "uniform", "normal"), TRANSCENDENTAL),
}
# Multiplications, by the exponent; what is not here needs exp and log, counted as one transcendental function.
_POWERS = {2: MULTIPLY, 3: 2 * MULTIPLY, 4: 2 * MULTIPLY, 1: 0, 0: 0, 0.5: ROOT, -1: DIVIDE, -0.5: ROOT + DIVIDE}


def _by_weight(kind: OpKind, weight: int) -> Formula:
    def formula(call: EngineCall) -> OpCost:
        return OpCost(kind, moved(call, elementwise=weight * call.result_elements))

    return formula


def gelu(call: EngineCall) -> OpCost:
    """`gelu`, exact or by the hyperbolic tangent (argument `approximate`)."""
    weight = GELU_TANH if call.arguments.get("approximate") == "tanh" else GELU_ERF
    return OpCost(OpKind.ACTIVATION, moved(call, elementwise=weight * call.result_elements))


def power(call: EngineCall) -> OpCost:
    """`pow`: small whole exponents (argument `exponent`) are multiplications."""
    exponent = call.arguments.get("exponent")
    weight = _POWERS.get(exponent, TRANSCENDENTAL) if isinstance(exponent, int | float) else TRANSCENDENTAL
    return OpCost(OpKind.ELEMENTWISE, moved(call, elementwise=weight * call.result_elements))


FORMULAS: dict[str, Formula] = {
    **{f"aten.{name}": _by_weight(OpKind.ACTIVATION, weight) for name, weight in _ACTIVATIONS.items()},
    **{f"aten.{name}": _by_weight(OpKind.ELEMENTWISE, weight) for name, weight in _ELEMENTWISE.items()},
    "aten.gelu": gelu,
    "aten.pow": power,
}
