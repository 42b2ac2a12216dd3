"""What memory is held for, in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, in_context, m
from cyclescope.explaining.memory import Holding

HOLDINGS: Mapping[Holding, Message] = MappingProxyType(
    {
        Holding.WEIGHTS: m("weights"),
        Holding.BUFFERS: m("buffers"),
        Holding.INPUTS: m("inputs"),
        Holding.ACTIVATIONS: in_context("memory", "activations"),
        Holding.CACHE: m("KV cache and other state"),
    }
)
