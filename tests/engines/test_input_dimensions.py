"""What is said of an input: how many of what it is as far as that is known, and what cannot be taken at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.loading.input_dimensions import dimensions_of
from cyclescope.core.errors import CyclescopeError, UsageError
from cyclescope.core.workload import InputItem, InputSource, InputUnit, Workload
from cyclescope.explaining.explain import explain
from cyclescope.explaining.metrics.observed import observe
from cyclescope.explaining.tasks import throughput
from cyclescope.measuring.measure import measure

VOCABULARY = 500
IDS = torch.arange(5, 29).reshape(2, 12)
MASK = torch.ones_like(IDS).index_put((torch.tensor([1] * 4), torch.arange(8, 12)), torch.tensor(0))


@pytest.fixture(scope="module")
def bert() -> Any:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return transformers.BertModel(transformers.BertConfig(vocab_size=VOCABULARY, **sizes)).eval()


@pytest.fixture(scope="module")
def whisper() -> Any:
    sides = {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in (("layers", 1), ("ffn_dim", 16))}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "d_model": 16, "num_mel_bins": 8}
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3}
    config = transformers.WhisperConfig(
        vocab_size=VOCABULARY, max_source_positions=10, max_target_positions=20, **sides, **heads, **special
    )
    model = transformers.WhisperForConditionalGeneration(config).eval()
    model.generation_config.suppress_tokens = model.generation_config.begin_suppress_tokens = None
    return model


class Nested(nn.Module):
    """Takes its features as a mapping, as sentence transformers do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, features: dict[str, torch.Tensor]) -> Any:
        return self.inner(**features)


def work_of(model: object, **inputs: Any) -> Workload:
    session = open_session(Request(model=model, inputs=inputs))
    session.close()
    return session.workload


def refused(model: object, kind: type[CyclescopeError] = UsageError, **request: Any) -> CyclescopeError:
    with pytest.raises(kind) as error:
        open_session(Request(model=model, **request)).close()
    return error.value


# Extents -------------------------------------------------------------------------------------------------------------


def test_tokens_in_a_mapping_are_found_with_their_padding(bert: Any) -> None:
    work = work_of(Nested(bert), features={"input_ids": IDS, "attention_mask": MASK})
    assert (work.batch, work.tokens_in, work.real_tokens, work.unit) == (2, 12, 20, InputUnit.TOKENS)
    assert work.input_source is InputSource.GIVEN


def test_tokens_in_lists_and_under_another_name_are_found_where_an_embedding_takes_them(bert: Any) -> None:
    assert dimensions_of({"parts": [{"ids": IDS}]}, bert).length == 12
    assert dimensions_of({"x": IDS}, nn.Linear(2, 2)).unit is InputUnit.UNKNOWN


def test_of_a_plain_module_only_the_shape_is_known() -> None:
    work = work_of(nn.Linear(8, 4).eval(), input=torch.ones(2, 8))
    assert (work.batch, work.tokens_in, work.real_tokens) == (0, 0, 0)
    assert (work.unit, work.items, work.shape) == (InputUnit.UNKNOWN, None, "input 2×8")


def test_images_are_counted_and_cut_into_patches() -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vit = transformers.ViTModel(transformers.ViTConfig(image_size=32, patch_size=8, **sizes)).eval()
    work = work_of(vit, pixel_values=torch.zeros(3, 3, 32, 32))
    assert (work.batch, work.tokens_in, work.unit, work.items) == (3, 16, InputUnit.PATCHES, InputItem.IMAGES)
    assert work.shape == "pixel_values 3×3×32×32"


def test_sound_is_counted_in_frames_where_the_axis_of_mel_channels_is_known(whisper: Any) -> None:
    work = work_of(whisper, input_features=torch.zeros(2, 8, 20))
    assert (work.batch, work.tokens_in, work.items) == (2, 20, InputItem.RECORDINGS)
    assert dimensions_of({"input_features": torch.zeros(2, 8, 8)}, whisper).length == 0
    assert dimensions_of({"input_values": torch.zeros(1, 400)}, whisper).unit is InputUnit.SAMPLES


@pytest.mark.parametrize(
    "mask",
    [
        MASK,
        MASK.bool(),
        MASK.float(),
        MASK[:, None, None, :],
        MASK.bool()[:, None, None, :] & torch.ones(12, 12, dtype=torch.bool).tril(),
        (MASK[:, None, None, :] - 1.0) * 1e38,
    ],
    ids=["whole", "bool", "float", "4-d", "causal", "added"],
)
def test_padding_is_what_no_position_attends_to(mask: torch.Tensor, bert: Any) -> None:
    assert dimensions_of({"input_ids": IDS, "attention_mask": mask}, bert).real == 20


def test_a_mask_that_says_nothing_of_the_tokens_leaves_them_all(bert: Any) -> None:
    for mask in (torch.ones(2, 3), torch.zeros(2, 1, 12, 12), torch.ones(5, 12)):
        assert dimensions_of({"input_ids": IDS, "attention_mask": mask}, bert).real == 24


def test_rates_count_what_is_read(whisper: Any, bert: Any) -> None:
    told = throughput(explain(measure(bert, inputs={"input_ids": IDS}, budget=0.05)))
    assert told is not None
    assert (told.items, told.texts) == (InputItem.TEXTS, 2)
    unknown = measure(nn.Linear(8, 4).eval(), inputs={"input": torch.ones(2, 8)}, budget=0.05)
    assert throughput(explain(unknown)) is None


def test_the_prompt_of_a_decoder_behind_sound_is_its_own(whisper: Any) -> None:
    cycle = measure(
        whisper, inputs={"input_features": torch.zeros(2, 8, 20)}, task="generate", new_tokens=3, budget=0.05
    )
    observed = observe(cycle)
    assert observed is not None
    assert (cycle.workload.prompt_tokens, observed.prompt_tokens) == (2, 2)


# Refusals ------------------------------------------------------------------------------------------------------------


def test_an_input_that_forward_does_not_name_is_refused_with_what_it_names() -> None:
    error = refused(nn.Bilinear(8, 8, 4), inputs={"input1": torch.ones(2, 8), "inputs2": torch.ones(2, 8)})
    assert str(error) == "Bilinear has no input 'inputs2'.\nIts `forward` takes input1, input2.\nDid you mean 'input2'?"


def test_an_input_that_is_missing_is_named() -> None:
    error = refused(nn.Bilinear(8, 8, 4), inputs={"input1": torch.ones(2, 8)})
    assert "needs the input 'input2'" in str(error.fact)


def test_an_input_that_transformers_takes_without_a_word_gets_a_note(bert: Any) -> None:
    session = open_session(Request(model=bert, inputs={"input_ids": IDS, "atention_mask": MASK}))
    assert any("'atention_mask'" in str(note) for note in session.notes)
    known = open_session(Request(model=bert, inputs={"input_ids": IDS, "attention_mask": MASK}))
    assert not known.notes


@pytest.mark.parametrize("token", [VOCABULARY, -1])
def test_a_token_beyond_the_embedding_is_named(token: int, bert: Any) -> None:
    ids = IDS.clone()
    ids[1, 3] = token
    error = refused(bert, inputs={"input_ids": ids})
    assert f"token {token} " in str(error.fact)
    assert "0 to 499" in str(error.cause)


def test_a_tokenizer_of_another_model_is_the_cause(bert: Any) -> None:
    error = refused(bert, texts=("Hello",), tokenizer=own_tokenizer({"Hello": VOCABULARY + 7}))
    assert "resize_token_embeddings" in str(error.way_out)


def own_tokenizer(words: dict[str, int]) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    raw = Tokenizer(models.WordLevel({"[UNK]": 0, **words}, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="[UNK]")


def test_a_raw_tokenizer_is_to_be_wrapped(bert: Any) -> None:
    error = refused(bert, texts=("Hello",), tokenizer=own_tokenizer({})._tokenizer)
    assert "PreTrainedTokenizerFast(tokenizer_object=" in str(error.way_out)


def test_a_text_without_a_tokenizer_asks_for_one(bert: Any) -> None:
    assert "tokenizer=" in str(refused(bert, texts=("Hello",)).way_out)


def test_a_pipeline_is_to_be_given_in_its_parts(bert: Any) -> None:
    class Pipeline:
        model, tokenizer = bert, None

    assert "pipeline.model" in str(refused(Pipeline(), texts=("Hello",)).way_out)


def test_a_sentence_transformer_with_a_tokenizer_is_told_how(bert: Any) -> None:
    class SentenceTransformer(Nested):
        __module__ = "sentence_transformers.base"

        def forward(self, input: dict[str, torch.Tensor], **kwargs: Any) -> Any:
            return self.inner(**input)

    error = refused(SentenceTransformer(bert), texts=("Hello",), tokenizer=own_tokenizer({"Hello": 5}))
    assert "needs the input 'input'" in str(error.fact)
    assert "model[0].auto_model" in str(error.way_out)
    assert "inputs={'input': model.tokenize([text])}" in str(error.way_out)


def test_a_path_is_taken_as_a_name(tmp_path: Path, bert: Any) -> None:
    bert.save_pretrained(tmp_path / "model")
    assert Request(model=tmp_path / "model").model == str(tmp_path / "model")
    session = open_session(Request(model=tmp_path / "model", tokens=4))
    assert session.workload.model.reference == "model"


# Generation configuration --------------------------------------------------------------------------------------------


@pytest.fixture
def llama() -> Any:
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=VOCABULARY, **sizes, **special)).eval()


def writing(model: Any, **request: Any) -> Any:
    return open_session(Request(model=model, inputs={"input_ids": IDS[:1]}, new_tokens=4, **request))


@pytest.mark.parametrize(
    ("name", "value", "cache"),
    [
        ("use_cache", False, "off"),
        ("cache_implementation", "static", "static"),
        ("cache_implementation", "hybrid", "dynamic"),
    ],
)
def test_the_plan_tells_the_cache_of_the_generation_configuration(
    llama: Any, name: str, value: Any, cache: str
) -> None:
    setattr(llama.generation_config, name, value)
    session = writing(llama)
    assert session.plan.cache == cache
    assert any(cache in str(note) for note in session.notes) is (cache != "dynamic")
    assert writing(llama, cache="off").plan.cache == "off"


@pytest.mark.parametrize(("name", "value"), [("num_beams", 4), ("max_time", 1e-9), ("stop_strings", ["a"])])
def test_what_a_cycle_does_not_keep_of_the_configuration_is_told(llama: Any, name: str, value: Any) -> None:
    setattr(llama.generation_config, name, value)
    session = writing(llama)
    assert len(session.uninstrumented(1)[0].emitted_ns) == 4
    assert any(f"sets {name} to {value}" in str(note) for note in session.notes)


def test_several_sequences_that_cannot_be_made_greedily_are_refused(llama: Any) -> None:
    llama.generation_config.num_return_sequences = 2
    with pytest.raises(CyclescopeError) as error:
        writing(llama)
    assert error.value.exit_code == 6
    assert "num_return_sequences = 1" in str(error.value.way_out)
