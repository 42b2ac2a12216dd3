"""The names of families of models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, in_context
from cyclescope.models.catalog import Family

FAMILIES: Mapping[Family, Message] = MappingProxyType(
    {
        Family.ENCODER: in_context("model family", "encoder"),
        Family.DECODER: in_context("model family", "decoder"),
        Family.ENCODER_DECODER: in_context("model family", "encoder-decoder"),
    }
)
