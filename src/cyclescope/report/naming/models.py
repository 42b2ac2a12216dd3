"""The names of families of models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, in_context
from cyclescope.models.catalog import ModelFamily

FAMILIES: Mapping[ModelFamily, Message] = MappingProxyType(
    {
        ModelFamily.ENCODER: in_context("model family", "encoder"),
        ModelFamily.DECODER: in_context("model family", "decoder"),
        ModelFamily.ENCODER_DECODER: in_context("model family", "encoder-decoder"),
    }
)
