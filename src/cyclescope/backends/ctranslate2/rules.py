"""What a model's generation configuration asks for that CTranslate2 would not do as transformers does it."""

from __future__ import annotations

from typing import Any

from cyclescope.core.errors import Unsupported

# Each with the values that ask for nothing.
_OTHERWISE: dict[str, tuple[object, ...]] = {
    "repetition_penalty": (None, 1.0),
    "encoder_repetition_penalty": (None, 1.0),
    "no_repeat_ngram_size": (None, 0),
    "encoder_no_repeat_ngram_size": (None, 0),
    "forced_bos_token_id": (None,),
    "begin_suppress_tokens": (None, []),
    "sequence_bias": (None, {}),
    "exponential_decay_length_penalty": (None,),
    "guidance_scale": (None, 1.0),
    "watermarking_config": (None,),
}


def refuse_other_rules(generation: Any) -> None:
    """Raise `Unsupported` where greedy writing would follow other rules than on PyTorch."""
    asked = [name for name, nothing in _OTHERWISE.items() if getattr(generation, name, None) not in nothing]
    if asked:
        raise Unsupported(
            f"CTranslate2 would write by other rules: {', '.join(asked)}.",
            "The model's generation configuration sets what the engine has not, or has in another form.",
            "Use --engine torch.",
        )
