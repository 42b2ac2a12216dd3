"""One decode step with a cache of a given length, traced from the model class alone.

It is the step of `model.generate` itself: the user's own path runs on the meta device, a prefill and one step, and only the
model's second call is written down. Which token follows would depend on the weights; so the scores, which no shape depends
on, are replaced by known ones after each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import transformers

from cyclescope.backends.torch.stamping.recorder import own_forward
from cyclescope.backends.torch.steps import Inputs
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.meta import build_on_meta, to_meta
from cyclescope.backends.torch.tracing.tracing import Traced, Tracer
from cyclescope.core.graph.tensor import TensorRole

_NEW_TOKENS = 2  # the first comes out of the prefill, the second out of the step


class _KnownScores(transformers.LogitsProcessor):
    """Scores that choose the token `chosen`, whatever the model says; making them is not written down."""

    def __init__(self, chosen: int, tracer: Tracer) -> None:
        self._chosen, self._tracer = chosen, tracer

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        recording, self._tracer.recording = self._tracer.recording, False
        try:
            known = torch.empty_like(scores)
            row = -(torch.arange(scores.shape[-1], device="cpu") - self._chosen).abs()
            assert self._tracer.concrete_values is not None
            # All rows are alike: as a value they take the memory of one.
            self._tracer.concrete_values.attach(known, row.to(scores.dtype).expand(scores.shape))
            return known
        finally:
            self._tracer.recording = recording


def _ends_nothing(model: Any) -> int:
    """A token that ends nothing."""
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list | tuple) else [ends]
    return next(token for token in range(len(ends) + 1) if token not in ends)


def _settings(model: Any, new_tokens: int, tracer: Tracer) -> dict[str, Any]:
    """Arguments of `generate` for so many tokens, greedily, whatever the model says."""
    return {
        "max_new_tokens": new_tokens,
        "min_new_tokens": new_tokens,
        "do_sample": False,
        "num_beams": 1,
        "logits_processor": [_KnownScores(_ends_nothing(model), tracer)],
    }


def trace_generation(build: Callable[[], torch.nn.Module], inputs: Inputs, new_tokens: int, device: str) -> Traced:
    """A whole generation of `new_tokens` tokens as `generate` runs it: the prefill, every decode step, the choice of tokens.

    `inputs` are the arguments of `generate`: the prompt. No streamer reads the tokens, which have no values here. Raises
    `ValueUnknown`.
    """
    concrete_values = ConcreteValues()
    model: Any = build_on_meta(build, concrete_values)
    tracer = Tracer(model, concrete_values, device)
    given = {name: to_meta(value, concrete_values) for name, value in inputs.items()}
    tracer.given({name: value for name, value in given.items() if isinstance(value, torch.Tensor)})
    experts = model.get_experts_implementation()

    def write() -> None:
        forward = model.forward  # by now the one that opens the model's frame

        def as_on_device(*args: Any, **kwargs: Any) -> Any:
            if device == "cpu":
                _keep_experts(model, experts)
            return forward(*args, **kwargs)

        as_on_device.__wrapped__ = forward  # type: ignore[attr-defined]  # `generate` reads its signature
        with own_forward(model, as_on_device):
            model.generate(**given, **_settings(model, new_tokens, tracer))

    with torch.no_grad():
        tracer.run(write)
    return tracer.finish("meta", generates=True, stepwise=True)


def trace_step(build: Callable[[], torch.nn.Module], inputs: Inputs, cache_length: int, device: str) -> Traced:
    """The model's call that reads one token more than the `cache_length` in its cache.

    `inputs` are the arguments of `generate`: the prompt, which makes the cache. What was there before the step has the
    role of a cache if a call of the model made it for the next one, else of an input. Raises `ValueUnknown`.
    """
    concrete_values = ConcreteValues()
    model: Any = build_on_meta(build, concrete_values)
    tracer = Tracer(model, concrete_values, device)
    tracer.recording = False
    experts = model.get_experts_implementation()
    calls: list[Any] = []

    def write() -> None:
        forward = model.forward  # by now the one that opens the model's frame

        def second_only(*args: Any, **kwargs: Any) -> Any:
            tracer.recording = len(calls) == 1
            if tracer.recording:
                if device == "cpu":
                    _keep_experts(model, experts)
                _describe(tracer, kwargs)
            result = forward(*args, **kwargs)
            # The result of the step is held until the trace is finished, as its caller would hold it.
            calls.append(result if tracer.recording else None)
            tracer.recording = False
            return result

        second_only.__wrapped__ = forward  # type: ignore[attr-defined]  # `generate` reads its signature
        with own_forward(model, second_only):
            model.generate(
                **{name: to_meta(value, concrete_values) for name, value in inputs.items()},
                **_settings(model, _NEW_TOKENS, tracer),
            )

    with torch.no_grad():
        tracer.run(write)
    return tracer.finish("meta", generates=True, cache_length=cache_length)


def _keep_experts(model: Any, implementation: Any) -> None:
    """`generate` lets a mixture run its experts in another way on every device but the CPU, and takes meta for one."""
    if model.get_experts_implementation() != implementation:
        model.set_experts_implementation(implementation)


def _describe(tracer: Tracer, arguments: Mapping[str, Any]) -> None:
    """Write down where the tensors that a step is given come from."""
    for name, value in arguments.items():
        is_cache = isinstance(value, transformers.Cache) or name in ("past_key_values", "cache", "cache_params")
        tracer.given(dict(_tensors(value, name, set())), TensorRole.CACHE if is_cache else TensorRole.INPUT)


def _tensors(value: Any, name: str, seen: set[int]) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors inside `value`, each with the path that leads to it (`past_key_values.layers.0.keys`)."""
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    if id(value) in seen or isinstance(value, torch.nn.Module | str | int | float | type | None):
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list | tuple):
        parts = list(enumerate(value))
    else:
        parts = list(getattr(value, "__dict__", {}).items())
    for key, part in parts:
        yield from _tensors(part, f"{name}.{key}", seen)
