"""What a model's generation configuration asks for that CTranslate2 would not do as transformers does it."""

from __future__ import annotations

from typing import Any

from cyclescope.backends.torch.exporting.token_settings import requested_settings
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

# What `standalone.ctranslate2_writer.rules_of` hands on to the engine, which has the same.
_KNOWN = ("bad_words_ids", "suppress_tokens", "forced_eos_token_id")


def refuse_other_rules(generation: Any) -> None:
    """Raise `Unsupported` where greedy writing would follow other rules than on PyTorch."""
    requested = requested_settings(generation, _KNOWN)
    if requested:
        raise Unsupported(
            m("CTranslate2 would generate by other rules: {asked}.", asked=", ".join(requested)),
            m("The model's generation configuration sets options that the engine lacks or treats differently."),
            m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
        )
