"""A dialogue on real decoders: the history is what the chat template makes of it, the cache is that of the turn before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from architectures import config
from command_line import CommandLine

import cyclescope
from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_dialogue
from cyclescope.backends.torch.generating.dialogue import plain_prompt
from cyclescope.core.errors import Unsupported, UsageError

SAID = ("Where does the time go?", "And why is that?", "Who says so?")
CHATML = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """The built-in stand-in of GPT-2, over which the small models here have a vocabulary."""
    from cyclescope.backends.torch.loading.loading import recipe, tokenizer_of

    made = recipe(Request("gpt2"))
    return tokenizer_of(made.source, made.config, Request("gpt2"))[0]


def small(name: str = "LlamaConfig", **changes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    made = config(name)
    made.vocab_size = 50_257
    for key, value in changes.items():
        setattr(made, key, value)
    model: torch.nn.Module = transformers.AutoModelForCausalLM.from_config(made).eval()
    return model


def opened(model: torch.nn.Module, tokenizer: Any, template: str = "plain", **settings: Any) -> Any:
    request = Request(model=model, tokenizer=tokenizer, texts=SAID, task="chat", new_tokens=4, **settings)
    return open_dialogue(request, template)


@pytest.mark.parametrize("name", ["GPT2Config", "LlamaConfig", "Qwen3Config"])
def test_the_history_grows_and_the_cache_holds_its_beginning(name: str, tokenizer: Any) -> None:
    session = opened(small(name), tokenizer)
    first, second, third = session.turns
    assert first.cached_tokens == 0
    assert first.prompt_tokens < second.prompt_tokens < third.prompt_tokens
    assert second.cached_tokens >= first.prompt_tokens
    assert third.cached_tokens >= second.prompt_tokens
    assert all(turn.cached_tokens < turn.prompt_tokens for turn in session.turns)


def test_with_the_cache_only_what_is_new_is_read(tokenizer: Any) -> None:
    model = small()
    read: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda module, args, kwargs: read.append(kwargs["input_ids"].shape[1]), with_kwargs=True
    )
    session = opened(model, tokenizer)
    facts = session.turns[2]
    for _ in range(2):  # the cache that is handed on is not used up
        read.clear()
        session.run(2, reuse=True)
        assert read == [facts.prompt_tokens - facts.cached_tokens, 1, 1, 1]
    read.clear()
    session.run(2, reuse=False)
    assert read == [facts.prompt_tokens, 1, 1, 1]
    hook.remove()


def test_the_reply_is_the_same_with_the_cache_and_without(tokenizer: Any) -> None:
    session = opened(small(), tokenizer)
    assert all(turn.same_reply for turn in session.turns)


def test_the_tokenizers_own_template_is_used(tokenizer: Any) -> None:
    tokenizer.chat_template = CHATML
    try:
        session = opened(small(), tokenizer, "own")
        text = f"<|user|>{SAID[0]}\n<|assistant|>"
        assert session.turns[0].prompt_tokens == len(tokenizer(text, add_special_tokens=False)["input_ids"])
    finally:
        tokenizer.chat_template = None


def test_a_tokenizer_without_a_template_names_the_way_out(tokenizer: Any) -> None:
    with pytest.raises(UsageError, match="has no chat template") as caught:
        opened(small(), tokenizer, "own")
    assert "--chat-template plain" in str(caught.value.way_out)


def test_plain_words() -> None:
    messages = [
        {"role": "user", "content": "Hi {you}"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    assert plain_prompt(messages) == "User: Hi {you}\nAssistant: Hello\nUser: Bye\nAssistant:"


def test_a_history_beyond_the_context_is_refused(tokenizer: Any) -> None:
    with pytest.raises(UsageError, match="do not fit"):
        opened(small(max_position_embeddings=40), tokenizer)


@pytest.mark.parametrize(("name", "message"), [("MambaConfig", "cannot be passed on"), ("T5Config", "Dialogues with")])
def test_a_model_whose_history_cannot_be_handed_on_is_refused(name: str, message: str, tokenizer: Any) -> None:
    made = config(name)
    made.vocab_size = 50_257
    auto = transformers.AutoModelForSeq2SeqLM if made.is_encoder_decoder else transformers.AutoModelForCausalLM
    with pytest.raises(Unsupported, match=message):
        opened(auto.from_config(made).eval(), tokenizer)


def test_threads_are_put_back(tokenizer: Any) -> None:
    before = torch.get_num_threads()
    session = opened(small(), tokenizer, threads=before + 1)
    assert session.plan.threads == before + 1
    session.close()
    assert torch.get_num_threads() == before


def test_python_measures_a_dialogue(tokenizer: Any) -> None:
    dialogue = cyclescope.measure_dialogue(
        small(), SAID[:2], tokenizer=tokenizer, chat_template="plain", new_tokens=2, budget=0.2
    )
    assert len(dialogue.turns) == 2
    for turn in dialogue.turns:
        assert (turn.again_first_ns < turn.again_wall_ns).all()
        assert (turn.reused_first_ns < turn.reused_wall_ns).all()


def test_the_command_holds_a_dialogue_and_tells_no_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = str(tmp_path)
    small("GPT2Config").config.save_pretrained(model)
    said = [part for text in SAID[:2] for part in ("--text", text)]
    chat = ("measure", model, "--task", "chat", *said, "--new-tokens", "2", "--threads", "1", "--budget", "0.1")
    done = CommandLine(capsys).succeeds(*chat, "--chat-template", "plain", "--json")
    assert done.document["schema"] == "cyclescope/dialogue/2"
    assert len(done.document["turns"]) == 2
    assert SAID[0] not in done.out
    line = CommandLine(capsys)
    assert "chat template" in line.refuses(UsageError.exit_code, *chat)
    assert "--json" in line.refuses(UsageError.exit_code, *chat, "--out", "run.cycle")
    assert "--task chat" in line.refuses(
        UsageError.exit_code, "measure", model, "--text", "a", "--chat-template", "plain"
    )
