"""Every setting of transformers' `generate` is known to change which token follows, or known not to."""

from __future__ import annotations

import inspect
import re

import pytest
import transformers
from transformers import GenerationConfig
from transformers.generation.utils import GenerationMixin

from cyclescope.backends.ctranslate2.rules import refuse_other_rules
from cyclescope.backends.torch.exporting.token_settings import TOKEN_SETTINGS, requested_settings
from cyclescope.core.errors import Unsupported

# The releases whose settings were gone through. A later one must not break the tests of somebody who installs it.
GONE_THROUGH = ("5.23", "5.24")

SAMPLING = {"do_sample", "temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff"}
BEAMS = {"num_beams", "num_beam_groups", "early_stopping", "length_penalty", "diversity_penalty", "low_memory"}
# Whose number of tokens is fixed here.
ENDS = {"max_length", "max_new_tokens", "min_length", "min_new_tokens", "max_time", "stop_strings", "eos_token_id"}
# The likeliest token stays the likeliest one.
SAME_ORDER = {"renormalize_logits", "remove_invalid_values"}
GUESSING = {
    "is_assistant", "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold",
    "assistant_early_exit", "assistant_lookbehind", "assistant_ensemble_weight", "target_lookbehind",
    "prompt_lookup_num_tokens", "max_matching_ngram_size", "speculation_type", "use_mtp",
}  # fmt: skip
RUNNING = {
    "use_cache", "cache_implementation", "cache_config", "max_cache_len", "compile_config", "disable_compile",
    "continuous_batching_config", "prefill_chunk_size",
}  # fmt: skip
GIVEN_BACK = {
    "num_return_sequences", "output_attentions", "output_hidden_states", "output_scores", "output_logits",
    "return_dict_in_generate",
}  # fmt: skip
# The prompt's own tokens, which the writers read themselves.
BEGINNING = {"pad_token_id", "bos_token_id", "decoder_start_token_id"}
ABOUT_ITSELF = {"transformers_version"}
UNCHANGING = SAMPLING | BEAMS | ENDS | SAME_ORDER | GUESSING | RUNNING | GIVEN_BACK | BEGINNING | ABOUT_ITSELF


def none_left(unknown: set[str], why: str) -> None:
    """Fail where `unknown` is not empty; of a release that nobody has gone through yet, say so and let it pass."""
    release = ".".join(transformers.__version__.split(".")[:2])
    if unknown and release not in GONE_THROUGH:
        pytest.xfail(f"transformers {release} was not gone through: {sorted(unknown)} {why}")
    assert not unknown, f"{sorted(unknown)} {why}: put each into TOKEN_SETTINGS, or into a group of this file"


def test_every_setting_is_told_to_change_tokens_or_not_to() -> None:
    settings = {name for name in vars(GenerationConfig()) if not name.startswith("_")}
    none_left(settings - set(TOKEN_SETTINGS) - UNCHANGING, "may change which token follows")


def test_what_changes_logits_is_in_the_table_unless_it_is_for_samplers_beams_or_ends() -> None:
    """`generate` makes its processors of logits in one place, so what that place reads is what changes them."""
    source = inspect.getsource(GenerationMixin._get_logits_processor)
    read = set(re.findall(r"generation_config\.([a-z]\w*)", source)) & set(vars(GenerationConfig()))
    assert read >= {"repetition_penalty", "watermarking_config"}
    passed_on = {"use_cache", "num_return_sequences"}  # to the second call that guidance makes, and to know rows
    none_left(read - set(TOKEN_SETTINGS) - SAMPLING - BEAMS - ENDS - SAME_ORDER - passed_on, "change logits")


def test_no_setting_is_told_to_do_both() -> None:
    assert not set(TOKEN_SETTINGS) & UNCHANGING


@pytest.mark.parametrize("name", TOKEN_SETTINGS)
def test_what_asks_for_nothing_is_not_refused(name: str) -> None:
    config = GenerationConfig()
    for value in (None, *TOKEN_SETTINGS[name]):
        setattr(config, name, value)
        assert requested_settings(config) == ()
    setattr(config, name, [[5]])
    assert requested_settings(config) == (name,)
    assert requested_settings(config, known=[name]) == ()


def test_an_engine_refuses_all_but_what_it_does_itself() -> None:
    config = GenerationConfig()
    config.bad_words_ids, config.suppress_tokens, config.forced_eos_token_id = [[5]], [7], 2
    refuse_other_rules(config)
    config.repetition_penalty, config.watermarking_config = 1.2, {"bias": 2.5}
    with pytest.raises(Unsupported, match="repetition_penalty, watermarking_config"):
        refuse_other_rules(config)
