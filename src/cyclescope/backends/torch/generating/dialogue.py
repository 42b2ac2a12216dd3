"""A dialogue on a transformers model: each turn with the cache of the turn before, and without."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import Any

import torch

from cyclescope.backends.base import DEFAULT_NEW_TOKENS, Request
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.generating.asking import refuse_undecoded
from cyclescope.backends.torch.generating.writing import Writer, refuse_beyond_context
from cyclescope.backends.torch.keeping.repeats import Repeats
from cyclescope.backends.torch.loading.heads import is_decoder
from cyclescope.backends.torch.loading.inputs import facts_of, longest_input
from cyclescope.backends.torch.loading.loading import Loaded
from cyclescope.backends.torch.stamping.device import waiting_for
from cyclescope.core.dialogue import PLAIN, TurnFacts, TurnRun
from cyclescope.core.errors import Unsupported, UsageError
from cyclescope.core.machine import Machine
from cyclescope.core.message import m
from cyclescope.core.plan import Plan

Message = dict[str, str]


@dataclass(frozen=True, eq=False)
class _Turn:
    """The messages of one turn, and the cache that stood there when it came, cut to what both have in common."""

    messages: tuple[Message, ...]
    facts: TurnFacts
    cache: Any


class TorchDialogue:
    """Implements `backends.base.DialogueSession`. Played once when made: the replies of that are the history of the rest."""

    def __init__(self, request: Request, loaded: Loaded, plan: Plan, machine: Machine, template: str) -> None:
        if loaded.tokenizer is None:
            raise UsageError(
                m("{reference} has no tokenizer, so it cannot take a message.", reference=loaded.reference),
                m("The model came without a tokenizer."),
                m("Put tokenizer.json beside its config.json, or pass the tokenizer too."),
            )
        if not is_decoder(getattr(loaded.model, "config", None)):
            raise Unsupported(
                m("Dialogues with a {name} are not supported.", name=type(loaded.model).__name__),
                m("Only a decoder leaves keys and values from which the next turn can continue."),
                m("Use a decoder, such as gpt2 or a Llama or Qwen."),
            )
        refuse_undecoded("Text", request.texts)
        self._tokenizer = loaded.tokenizer
        self._device, self._seed = request.device, request.seed
        self._apply = _template(loaded.tokenizer, loaded.reference, template)
        self.template = template
        self.new_tokens = request.new_tokens or DEFAULT_NEW_TOKENS
        self._writer = Writer(loaded.model, self.new_tokens, sample=request.sampling == "sample", cache=request.cache)
        self._limit = longest_input(loaded.model, loaded.tokenizer)
        self.model = facts_of(loaded, self._limit)
        self.machine = machine
        self.notes = (loaded.note,) if loaded.note else ()
        self._wait = waiting_for(request.device)
        self._repeats = Repeats() if isinstance(request.model, str) else Repeats(loaded.model)
        self._threads_before = torch.get_num_threads()
        if request.threads:
            torch.set_num_threads(request.threads)
        self.plan = replace(plan, threads=torch.get_num_threads())
        try:
            with engine_errors(m("run the dialogue")), self._repeats.computing():
                self._turns = self._play(request.texts)
        except BaseException:
            self.close()
            raise

    @property
    def turns(self) -> tuple[TurnFacts, ...]:
        return tuple(turn.facts for turn in self._turns)

    def run(self, number: int, *, reuse: bool) -> TurnRun:
        """The reply of turn `number`. The cache is copied before the clock starts: a server would hand on the original."""
        turn = self._turns[number]
        with engine_errors(m("run the dialogue")), torch.inference_mode():
            self._repeats.begin()
            torch.manual_seed(self._seed)
            given = {"past_key_values": copy.deepcopy(turn.cache)} if reuse and turn.facts.cached_tokens else {}
            self._wait()
            begin = perf_counter_ns()
            inputs = self._encode(turn.messages)
            written = self._writer(inputs | given)
            self._read(written, inputs)
            self._wait()
            end = perf_counter_ns()
            self._repeats.end()
        return TurnRun(self._writer.emitted_ns[0] - begin, end - begin)

    def close(self) -> None:
        torch.set_num_threads(self._threads_before)
        self._repeats.restore()

    def _play(self, texts: Sequence[str]) -> list[_Turn]:
        """Hold the dialogue once, and keep before every turn what the turn before has left."""
        turns: list[_Turn] = []
        messages: list[Message] = []
        seen: list[int] = []
        cache: Any = None
        for text in texts:
            messages.append({"role": "user", "content": text})
            inputs = self._encode(messages)
            ids = inputs["input_ids"][0].tolist()
            refuse_beyond_context(len(ids), self.new_tokens, self._limit, True)
            common = min(_common(seen, ids), len(ids) - 1)
            kept = _cut(cache, common) if common else None
            torch.manual_seed(self._seed)
            whole = self._writer({**inputs, "return_dict_in_generate": True})
            same = True
            if kept is not None:
                torch.manual_seed(self._seed)
                again = self._writer(inputs | {"past_key_values": copy.deepcopy(kept)})
                same = torch.equal(again, whole.sequences)
            characters = sum(len(message["content"]) for message in messages)
            turns.append(_Turn(tuple(messages), TurnFacts(len(ids), common, characters, same), kept))
            cache = _handed_on(whole, self.model.class_name)
            seen = whole.sequences[0].tolist()[: cache.get_seq_length()]
            messages.append({"role": "assistant", "content": self._read(whole.sequences, inputs)})
        return turns

    def _encode(self, messages: Sequence[Message]) -> dict[str, Any]:
        text = self._apply(list(messages))
        inputs = self._tokenizer(text, return_tensors="pt", add_special_tokens=False, verbose=False)
        return {name: inputs[name].to(self._device) for name in ("input_ids", "attention_mask")}

    def _read(self, sequences: Any, inputs: dict[str, Any]) -> str:
        reply = sequences[0, inputs["input_ids"].shape[1] :]
        return str(self._tokenizer.decode(reply, skip_special_tokens=True))


def _template(tokenizer: Any, reference: str, wanted: str) -> Callable[[list[Message]], str]:
    """How messages become the text of a prompt. Raises `UsageError` where the tokenizer has no words of its own."""
    if wanted == PLAIN:
        return plain_prompt
    if not getattr(tokenizer, "chat_template", None):
        raise UsageError(
            m("The tokenizer of {reference} has no chat template.", reference=reference),
            m("The prompt format of this model is unknown."),
            m("Use --chat-template plain for a simple format, or a model made for chat."),
        )

    def own(messages: list[Message]) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    return own


def plain_prompt(messages: list[Message]) -> str:
    """Each message on a line, `User: ` or `Assistant: ` before it, and an open line for the reply."""
    lines = [f"{message['role'].capitalize()}: {message['content']}\n" for message in messages]
    return "".join(lines) + "Assistant:"


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def _handed_on(written: Any, name: str) -> Any:
    """The keys and values that a generation leaves. Raises `Unsupported` where they cannot be cut back to a beginning."""
    from transformers.cache_utils import DynamicLayer

    cache = getattr(written, "past_key_values", None)
    layers = getattr(cache, "layers", ())
    if not layers or any(type(layer) is not DynamicLayer for layer in layers):
        raise Unsupported(
            m("The cache of a {name} cannot be passed on to the next turn.", name=name),
            m("It is a state or a window, not the keys and values of every token."),
            m("Use a model with full attention in every layer."),
        )
    return cache


def _cut(cache: Any, tokens: int) -> Any:
    """A copy of `cache` that holds the first `tokens` only."""
    kept = copy.deepcopy(cache)
    if tokens < kept.get_seq_length():
        kept.crop(tokens - kept.get_seq_length())  # a negative number is how many to remove, in every version
    return kept
