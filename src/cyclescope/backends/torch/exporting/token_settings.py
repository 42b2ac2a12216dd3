"""Settings of `generate` that change which token follows: an engine that takes the likeliest one must not pass over them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

TOKEN_SETTINGS: Mapping[str, tuple[object, ...]] = MappingProxyType(
    {
        "repetition_penalty": (1.0,),
        "encoder_repetition_penalty": (1.0,),
        "no_repeat_ngram_size": (0,),
        "encoder_no_repeat_ngram_size": (0,),
        "bad_words_ids": (),
        "sequence_bias": ({},),
        "suppress_tokens": ([],),
        "begin_suppress_tokens": ([],),
        "forced_bos_token_id": (),
        "forced_eos_token_id": (),
        "exponential_decay_length_penalty": (),
        "guidance_scale": (1.0,),
        "watermarking_config": (),
        "token_healing": (False,),
        # Ways of decoding that are neither greedy nor sampling.
        "penalty_alpha": (0.0,),
        "dola_layers": (),
        "constraints": (),
        "force_words_ids": (),
    }
)
"""Names of `transformers.GenerationConfig`, each with the values that ask for nothing; None never does.

It is about greedy writing of a fixed number of tokens, one text at a time or several: what only samplers and beams read is not
in it, nor what says where a text ends.
"""


def requested_settings(generation: Any, known: Collection[str] = ()) -> tuple[str, ...]:
    """Those of `TOKEN_SETTINGS` that the configuration `generation` asks for, without those that an engine has `known`."""
    requested = {name: getattr(generation, name, None) for name in TOKEN_SETTINGS if name not in known}
    return tuple(name for name, value in requested.items() if value is not None and value not in TOKEN_SETTINGS[name])
