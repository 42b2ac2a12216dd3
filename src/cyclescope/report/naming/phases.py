"""Phases of a generation in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, in_context
from cyclescope.explaining.generation import Phase

PHASES: Mapping[Phase, Message] = MappingProxyType(
    {
        Phase.TOKENIZE: in_context("phase", "tokenize"),
        Phase.PREPARE: in_context("phase", "prepare"),
        Phase.ENCODE: in_context("phase", "encode"),
        Phase.PREFILL: in_context("phase", "prefill"),
        Phase.DECODE: in_context("phase", "decode"),
        Phase.READ_OUT: in_context("phase", "read out"),
    }
)
