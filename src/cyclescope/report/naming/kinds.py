"""Kinds of operations in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Message, m

KINDS: Mapping[OpKind, Message] = MappingProxyType(
    {
        OpKind.MATMUL: m("matrix products"),
        OpKind.ATTENTION: m("fused attention"),
        OpKind.CONVOLUTION: m("convolutions"),
        OpKind.SOFTMAX: m("softmax"),
        OpKind.NORM: m("normalisations"),
        OpKind.ACTIVATION: m("activations"),
        OpKind.ELEMENTWISE: m("elementwise operations"),
        OpKind.REDUCTION: m("reductions"),
        OpKind.EMBEDDING: m("table look-ups"),
        OpKind.COPY: m("copies"),
        OpKind.VIEW: m("views"),
        OpKind.FFT: m("Fourier transforms"),
        OpKind.SCAN: m("scans"),
        OpKind.TEXT: m("text operations"),
        OpKind.OTHER: m("other operations"),
        OpKind.COLLECTIVE: m("collectives"),
    }
)
