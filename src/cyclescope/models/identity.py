"""What makes the structure of a named model, read without any framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclescope.models.folder import CONFIG, LocalFolder, read_config
from cyclescope.models.reference import BuiltIn, ConfigFile, ModelSource


def configuration_of(source: ModelSource) -> Mapping[str, Any] | None:
    """The configuration that the class of `source` is made from, as it stands in its file.

    None where it is not on this disk, where it is part of a file of weights (GGUF), and where Python code that came with
    the model decides too. Raises `ModelError` for a file that is no configuration.
    """
    if isinstance(source, ConfigFile | LocalFolder) and source.needs_remote_code:
        return None
    if isinstance(source, ConfigFile):
        return source.config
    if isinstance(source, LocalFolder):
        return read_config(source.path / CONFIG)
    if isinstance(source, BuiltIn) and source.cached is None:
        return source.entry.config
    cached = getattr(source, "cached", None)
    return configuration_of(cached) if isinstance(cached, LocalFolder) else None
