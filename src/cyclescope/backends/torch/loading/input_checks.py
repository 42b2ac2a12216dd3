"""Refuses inputs that a model cannot take, in words that say why, before the model fails on them in its own."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

import torch

from cyclescope.backends.torch.loading.input_dimensions import tensors_in
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, listed, m

# What transformers takes beside the names of `forward`: settings, and names that it has given up and still understands.
_ALSO_TAKEN = frozenset(
    {"past_key_values", "cache_position", "use_cache", "return_dict", "head_mask", "decoder_head_mask"}
)
_SETTINGS = ("output_", "return_")
_IDS = ("input_ids", "decoder_input_ids")


def check_inputs(
    model: torch.nn.Module, inputs: Mapping[str, Any], fixed: Mapping[str, Any], by_tokenizer: bool
) -> None:
    """Raise `UsageError` unless `forward` can be called with `inputs` and `fixed`; `by_tokenizer` says who made them."""
    names, takes_more = _names_of(model)
    check_ids(model, inputs, by_tokenizer)
    if names is None:
        return
    given = {**inputs, **fixed}
    strange = [name for name in given if name not in names]
    lacking = [name for name, parameter in names.items() if parameter.default is parameter.empty and name not in given]
    if strange and not takes_more:
        fact = m("{model} has no input {name}.", model=type(model).__name__, name=repr(strange[0]))
        near = get_close_matches(strange[0], names, 1)
        meant: Text = m("Did you mean {name}?", name=repr(near[0])) if near else ""
        raise UsageError(fact, _takes(names), meant or _way_out(model, names, by_tokenizer))
    if lacking:
        raise UsageError(
            m("{model} needs the input {name}.", model=type(model).__name__, name=repr(lacking[0])),
            m("Given are {names}.", names=listed(given) or m("none")),
            _way_out(model, names, by_tokenizer),
        )


def strange_inputs(model: torch.nn.Module, inputs: Mapping[str, Any]) -> Iterator[Text]:
    """Notes on inputs that a model of transformers takes without a word and may ignore."""
    names, _ = _names_of(model)
    settings = _typed_settings(model)
    for name in inputs if names is not None and settings else ():
        known = {*(names or ()), *settings, *_ALSO_TAKEN}
        if name not in known and not name.startswith(_SETTINGS):
            yield m(
                "{model} does not name the input {name}; it may ignore it.", model=type(model).__name__, name=repr(name)
            )


def check_tokenizer(tokenizer: Any) -> None:
    """Raise `UsageError` for what cannot be called with texts, as a tokenizer of transformers can."""
    if tokenizer is None or callable(tokenizer):
        return
    kind = type(tokenizer)
    way_out: Text = m("Give a tokenizer of transformers, such as AutoTokenizer.from_pretrained(…).")
    if kind.__module__.partition(".")[0] == "tokenizers":
        way_out = m("Wrap it: transformers.PreTrainedTokenizerFast(tokenizer_object=…).")
    raise UsageError(
        m("The tokenizer must be one of transformers (got {kind}).", kind=f"{kind.__module__}.{kind.__qualname__}"),
        m("It cannot be called with a text."),
        way_out,
    )


def _names_of(model: torch.nn.Module) -> tuple[dict[str, inspect.Parameter] | None, bool]:
    """The inputs that `forward` names, and whether it may take more; None where it does not tell."""
    try:
        named = inspect.signature(model.forward).parameters
        called = inspect.signature(model.forward, follow_wrapped=False).parameters
    except (TypeError, ValueError):
        return None, True
    kinds = {parameter.kind for parameter in (*named.values(), *called.values())}
    names = {
        name: parameter
        for name, parameter in named.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    if not names or inspect.Parameter.POSITIONAL_ONLY in kinds:
        return None, True
    return names, inspect.Parameter.VAR_KEYWORD in kinds


def _typed_settings(model: torch.nn.Module) -> frozenset[str]:
    """The further names that the `**kwargs` of `forward` are declared to hold; empty where they are not declared."""
    if _names_of(model)[0] is None:
        return frozenset()
    for parameter in inspect.signature(model.forward).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            return frozenset(name for kind in get_args(parameter.annotation) for name in inspect.get_annotations(kind))
    return frozenset()


def _takes(names: Mapping[str, object]) -> Text:
    return m("Its `forward` takes {names}.", names=listed(names))


def _way_out(model: torch.nn.Module, names: Mapping[str, object], by_tokenizer: bool) -> Text:
    if type(model).__module__.startswith("sentence_transformers"):
        return m(
            "Measure the Transformer inside: measure(model[0].auto_model, text, tokenizer=model.tokenizer); "
            "or the whole with inputs={{'input': model.tokenize([text])}}."
        )
    first = next(iter(names))
    if by_tokenizer:
        return m("Leave out the text and the tokenizer, and give inputs={{{name}: …}}.", name=repr(first))
    return m("Give inputs= by the names of `forward`: {names}.", names=listed(names))


def check_ids(model: Any, inputs: Mapping[str, Any], by_tokenizer: bool) -> None:
    """Raise `UsageError` for a token that the embedding has no row for."""
    try:
        rows = int(model.get_input_embeddings().weight.shape[0])
    except (AttributeError, NotImplementedError, IndexError, TypeError):
        return  # its embedding is not where models of transformers have it
    for name, ids in tensors_in(inputs):
        if name not in _IDS or ids.is_floating_point() or ids.is_meta or not ids.numel():
            continue
        least, most = int(ids.min()), int(ids.max())
        if least >= 0 and most < rows:
            continue
        way_out = (
            m("Use the tokenizer that belongs to the model, or model.resize_token_embeddings(len(tokenizer)).")
            if by_tokenizer
            else m("Give ids from 0 to {last}.", last=rows - 1)
        )
        raise UsageError(
            m("The token {token} is not in the model's vocabulary.", token=most if most >= rows else least),
            m("The embedding has {rows} rows, for tokens 0 to {last}.", rows=rows, last=rows - 1),
            way_out,
        )
