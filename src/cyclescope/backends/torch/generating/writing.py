"""Models that write: `model.generate` as the user calls it, with the moment at which each token comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from time import perf_counter_ns
from typing import Any

import torch

from cyclescope.backends.torch.loading.heads import can_generate
from cyclescope.core.errors import Unsupported, UsageError
from cyclescope.core.message import m


class EnoughWritten(Exception):
    """Ends a generation from within; never seen outside of the writer."""


class Writer:
    """Calls `model.generate` for a fixed number of new tokens, and is the streamer that it hands each token to.

    A streamer is how transformers passes tokens on while it writes, so its `put` is the moment at which a token is out.
    `called_ns` and `emitted_ns` are on the machine's clock, of the last call.
    """

    def __init__(
        self, model: Any, new_tokens: int, *, sample: bool, cache: str, overrides: Mapping[str, Any] | None = None
    ) -> None:
        if not can_generate(model):
            raise Unsupported(
                m("A {class_name} cannot generate text.", class_name=type(model).__name__),
                m("It has no head that predicts the next token."),
                m("Leave out --new-tokens and --task, or use a model with a language-model head."),
            )
        self.new_tokens = new_tokens
        self.prompt_tokens = 0  # of all sequences, as the last call began
        self.called_ns = 0
        self.emitted_ns: list[int] = []
        self._generate = model.generate
        # As many tokens in every cycle, whatever the model would rather say: an early end would compare unequal work.
        self._settings: dict[str, Any] = {
            "max_new_tokens": new_tokens,
            "min_new_tokens": new_tokens,
            "do_sample": sample,
            "num_beams": 1,
            **(overrides or {}),
        }
        if getattr(model.generation_config, "assistant_early_exit", None) is not None:
            self._settings["assistant_early_exit"] = None  # guessing is a plan of its own
        if cache == "off":
            self._settings["use_cache"] = False
        elif cache == "static":
            self._settings["cache_implementation"] = "static"
        if torch.device(model.device).type != "cpu":
            # On a device transformers compiles calls that write into a cache of fixed shape; compiled, they show no
            # operations, and an instrumented run would not be the same.
            self._settings["disable_compile"] = True
        self._prompt_seen = False
        self._streams = True
        self._limit_ns: int | None = None

    def __call__(self, inputs: dict[str, Any]) -> Any:
        self.emitted_ns = []
        self._prompt_seen = False
        self.called_ns = perf_counter_ns()
        if not self._streams:
            return self._generate(**inputs, **self._settings)
        try:
            return self._generate(**inputs, **self._settings, streamer=self)
        except EnoughWritten:
            return None

    def of(self, model: Any) -> Writer:
        """The same for another form of the model."""
        other = copy(self)
        other._generate = model.generate
        return other

    def writing(self, new_tokens: int) -> Writer | None:
        """The same for another number of tokens; None where tokens do not come one by one."""
        if not self._streams:
            return None
        other = copy(self)
        other.new_tokens = new_tokens
        other.emitted_ns = []
        other._settings = self._settings | {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
        return other

    @contextmanager
    def ending_after(self, limit_ns: int) -> Iterator[None]:
        """While open, a call ends with the first token behind the second that comes out after `limit_ns`, and gives None."""
        self._limit_ns = limit_ns
        try:
            yield
        finally:
            self._limit_ns = None

    def draft(self, **settings: Any) -> None:
        """Have tokens guessed and checked several at a time, by further `settings` of `generate`."""
        self._settings |= settings
        self._streams = False  # several tokens come at a time, which no streamer of transformers takes

    def put(self, value: torch.Tensor) -> None:
        """Part of the streamer's protocol: the prompt comes first, then every token."""
        if not self._prompt_seen:
            self.prompt_tokens = value.numel()
        else:
            self.emitted_ns.append(perf_counter_ns())
            if self._limit_ns is not None and self._is_enough(self.called_ns + self._limit_ns):
                raise EnoughWritten
        self._prompt_seen = True

    def _is_enough(self, stop_ns: int) -> bool:
        """Whether to stop before the last token; the second one tells how long a step takes."""
        written = len(self.emitted_ns)
        return 2 <= written < self.new_tokens and self.emitted_ns[-1] >= stop_ns

    def end(self) -> None:
        """Part of the streamer's protocol: nothing more will come."""


def refuse_beyond_context(tokens: int, new_tokens: int, limit: int | None, decoder_only: bool) -> None:
    """A prompt and its continuation share the positions of a decoder. Raises `UsageError`."""
    if decoder_only and limit is not None and tokens + new_tokens > limit:
        raise UsageError(
            m(
                "A prompt of {tokens} tokens and {new_tokens} new tokens do not fit the model.",
                tokens=tokens,
                new_tokens=new_tokens,
            ),
            m("It has positions for {limit} tokens.", limit=limit),
            m(
                "Use a prompt of {tokens} tokens or fewer, or --new-tokens {new_tokens}.",
                tokens=max(1, limit - new_tokens),
                new_tokens=max(1, limit - tokens),
            ),
        )
