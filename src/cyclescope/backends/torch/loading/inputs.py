"""The input of a cycle: texts through the tokenizer, made-up tokens, or tensors as they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from cyclescope.backends.base import DEFAULT_NEW_TOKENS, DEFAULT_TOKENS, Request
from cyclescope.backends.torch.exits import exits_of
from cyclescope.backends.torch.generating.asking import batch_of
from cyclescope.backends.torch.generating.writing import Writer, refuse_beyond_context
from cyclescope.backends.torch.loading.generation_settings import generation_settings
from cyclescope.backends.torch.loading.heads import WRITE
from cyclescope.backends.torch.loading.input_checks import check_ids, check_inputs, strange_inputs
from cyclescope.backends.torch.loading.input_dimensions import dimensions_of, moved
from cyclescope.backends.torch.loading.loading import Loaded
from cyclescope.backends.torch.loading.sizes import size_of
from cyclescope.backends.torch.reading import reader
from cyclescope.backends.torch.steps import Arrays, Steps
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.meta import build_on_meta
from cyclescope.core.errors import InputTooLong, UsageError
from cyclescope.core.message import Text, m
from cyclescope.core.workload import InputSource, ModelFacts, Workload

_SANE_LENGTH = 1_000_000  # transformers says 1e30 where a tokenizer has no limit


def prepare(request: Request, loaded: Loaded) -> tuple[Steps, Workload, tuple[Text, ...]]:
    """The steps of the cycle, the workload they carry out, and what the reader must know about them."""
    model: Any = loaded.model
    limit = longest_input(model, loaded.tokenizer)
    notes: list[Text] = []
    prompts = batch_of(request, loaded)
    texts = prompts.texts
    if prompts.note:
        notes.append(prompts.note)
    encode: Callable[[], dict[str, Any]] | None = None
    encode_arrays: Callable[[], Arrays] | None = None
    given: dict[str, Any] = {}
    cut = 0
    if (trains := training_part(model)) is not None:
        notes.append(
            m(
                "{place} is in training mode, so what it does only in training is part of what was measured.",
                place=trains,
            )
        )
    if texts:
        tokenized, cut = _encoder(loaded, prompts.columns, limit)
        encode = partial(_on, request.device, tokenized)
        encode_arrays = partial(tokenized, return_tensors="np")
        first = encode()
    elif request.inputs is not None:
        given = {name: moved(value, request.device) for name, value in request.inputs.items()}
        first = given
    else:
        tokens = request.tokens or 0
        _refuse_too_long(tokens, limit, loaded.reference)
        given = _synthetic(model, request.batch or 1, tokens, request.seed, request.device)
        first = given
    dimensions = dimensions_of(first, model)
    fixed = _decoder_start(model, dimensions.batch or 1, request.device, first)
    if loaded.head == WRITE:
        check_ids(model, first, bool(texts))  # which names `generate` takes, it says by itself
    else:
        check_inputs(model, first, fixed, bool(texts))
    notes += strange_inputs(model, first)
    writer = None
    new_tokens = (request.new_tokens or DEFAULT_NEW_TOKENS) if loaded.head == WRITE else 0
    if new_tokens:
        refuse_beyond_context(dimensions.length, new_tokens, limit, not model.config.is_encoder_decoder)
        settings = generation_settings(model, request)
        notes += settings.notes
        sample = request.sampling == "sample"
        writer = Writer(model, new_tokens, sample=sample, cache=settings.cache, overrides=settings.overrides)
    steps = Steps(
        model=model,
        encode=encode,
        encode_arrays=encode_arrays,
        given=given,
        fixed=fixed,
        writer=writer,
        read_out=reader(loaded.head, getattr(model, "config", None), loaded.tokenizer, first),
        tokenizer_name=type(loaded.tokenizer).__name__ if loaded.tokenizer is not None else "",
        text_bytes=sum(len(t.encode()) for t in texts),
        keep_words=loaded.task == "classify" or request.keep_text,
    )
    source = InputSource.TEXT if texts else InputSource.SYNTHETIC if request.inputs is None else InputSource.GIVEN
    workload = Workload(
        model=facts_of(loaded, limit),
        task=loaded.task,
        input_source=source,
        batch=dimensions.batch,
        tokens_in=dimensions.length,
        real_tokens=dimensions.real,
        characters=sum(len(t) for t in texts),
        text_bytes=sum(len(t.encode()) for t in texts),
        tokens_out=new_tokens,
        cut_tokens=cut,
        texts=texts if request.keep_text else (),
        unit=dimensions.unit,
        shape=dimensions.shape,
    )
    return steps, workload, tuple(notes)


# Modules that compute something else in training, by the name that the classes of all packages share a part of.
_DIFFERS_IN_TRAINING = (
    "Dropout",
    "BatchNorm",
    "InstanceNorm",
    "DropPath",
    "StochasticDepth",
    "RReLU",
    "FractionalMaxPool",
)


def training_part(model: torch.nn.Module) -> str | None:
    """A module of `model` that is in training mode and computes something else in it; None where there is none.

    The flag of a wrapper alone says nothing about what it holds.
    """
    for path, module in model.named_modules():
        if not module.training or getattr(module, "p", None) == 0:
            continue
        code = getattr(type(module).forward, "__code__", None)
        asks = code is not None and "training" in code.co_names
        if asks or any(name in type(module).__name__ for name in _DIFFERS_IN_TRAINING):
            return path or type(module).__name__
    return None


def facts_of(loaded: Loaded, limit: int | None) -> ModelFacts:
    """Which model it is, for the report. `limit` is the longest input."""
    model = loaded.model
    size = size_of(model)
    return ModelFacts(
        reference=loaded.reference,
        class_name=type(model).__name__,
        model_type=str(getattr(getattr(model, "config", None), "model_type", "")),
        parameters=size.number,
        parameter_bytes=size.bytes,
        weights=loaded.weights,
        tokenizer=loaded.tokenizer_name,
        stand_in_tokenizer=loaded.stand_in,
        max_positions=limit,
        source=loaded.source,
        exits=exits_of(model),
    )


def longest_input(model: Any, tokenizer: Any) -> int | None:
    """The most tokens that the model takes in one sequence, special ones included; None where there is no limit."""
    config = getattr(model, "config", None)
    limits = []
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa and its kin count positions from the padding index on, and so lose that many.
        offset = _position_offset(model)
        limits.append(positions - offset)
    if tokenizer is not None and 0 < getattr(tokenizer, "model_max_length", 0) < _SANE_LENGTH:
        limits.append(int(tokenizer.model_max_length))
    return min(limits) if limits else None


def _position_offset(model: Any) -> int:
    """Positions at the beginning of the table that no token uses: those up to the padding index, where it has one."""
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return int(module.padding_idx) + 1
    return 0


def _encoder(loaded: Loaded, columns: Sequence[Sequence[str]], limit: int | None) -> tuple[Callable[..., Any], int]:
    """The call of the tokenizer that turns `columns` of texts into `return_tensors`, and how many tokens of them do not
    fit.
    """
    tokenizer, config = loaded.tokenizer, getattr(loaded.model, "config", None)
    batch = [list(texts) for texts in columns]
    # Quietly: that a text is too long is reported as what is cut, and not by the tokenizer.
    whole = tokenizer(*batch, verbose=False)["input_ids"]
    cut = sum(max(0, len(ids) - limit) for ids in whole) if limit is not None else 0
    many = len({len(ids) for ids in whole}) > 1
    if many and tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token  # what everyone does with decoders that were trained without padding
    settings: dict[str, Any] = {}
    if many:
        settings["padding"] = True
        if loaded.head == WRITE and not getattr(config, "is_encoder_decoder", False):
            settings["padding_side"] = "left"  # what is written goes on from the last token
    if cut:
        settings |= {"truncation": True, "max_length": limit}
    return partial(tokenizer, *batch, **settings), cut


def _on(device: str, tokenized: Callable[..., Any]) -> dict[str, Any]:
    given: Any = tokenized(return_tensors="pt")
    return given if device == "cpu" else given.to(device)  # type: ignore[no-any-return]


def _refuse_too_long(tokens: int, limit: int | None, reference: str) -> None:
    if limit is not None and tokens > limit:
        raise InputTooLong(
            m("--tokens must be at most {limit} for this model (got {tokens}).", limit=limit, tokens=tokens),
            m("{reference} has positions for {limit} tokens.", reference=reference, limit=limit),
            m("Use --tokens {limit} or fewer.", limit=limit),
        )


def _synthetic(model: Any, batch: int, tokens: int, seed: int, device: str) -> dict[str, Any]:
    """Made-up token ids [batch, tokens] and a mask that hides nothing."""
    config = getattr(model, "config", None)
    vocabulary = int(getattr(getattr(config, "get_text_config", lambda: config)(), "vocab_size", 0) or 0)
    if vocabulary < 1:
        raise UsageError(
            m("This model has no vocabulary, so synthetic tokens cannot be made."), "", m("Give inputs as tensors.")
        )
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary, (batch, tokens), generator=generator)
    padding = getattr(config, "pad_token_id", None)
    if isinstance(padding, int) and vocabulary > 1:
        # A made-up padding token would move positions about in models that count them from the mask.
        ids[ids == padding] = (padding + 1) % vocabulary
    return {"input_ids": ids.to(device), "attention_mask": torch.ones_like(ids).to(device)}


def _decoder_start(model: Any, batch: int, device: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What an encoder-decoder needs besides: the token that its decoder starts from."""
    config = getattr(model, "config", None)
    if not getattr(config, "is_encoder_decoder", False) or "decoder_input_ids" in inputs:
        return {}
    start = getattr(config, "decoder_start_token_id", None)
    if not isinstance(start, int):
        start = getattr(config, "bos_token_id", None) or 0
    return {"decoder_input_ids": torch.full((batch, 1), start, device=device)}


def synthetic_steps(build: Callable[[], torch.nn.Module], request: Request) -> Steps:
    """Steps for a model that exists as a class only: made-up tokens, no tokenizer, nothing to read out."""
    shell = build_on_meta(build, ConcreteValues())
    limit = longest_input(shell, None)
    tokens = request.tokens or DEFAULT_TOKENS
    _refuse_too_long(tokens, limit, str(request.model))
    given = _synthetic(shell, request.batch or 1, tokens, request.seed, "cpu")
    return Steps(shell, None, given, _decoder_start(shell, request.batch or 1, "cpu", given), None)


def step_inputs(build: Callable[[], torch.nn.Module], request: Request) -> dict[str, Any]:
    """What `generate` is given so that its first step finds `request.cache_length` tokens in the cache.

    A decoder reads them as its prompt. Of an encoder-decoder the encoder reads `request.tokens`, and they are the beginning
    of what the decoder writes. Raises `UsageError` and `InputTooLong`.
    """
    length = request.cache_length or 0
    shell: Any = build_on_meta(build, ConcreteValues())
    limit = longest_input(shell, None)
    if limit is not None and length + 1 > limit:
        raise InputTooLong(
            m("--cache-length must leave room for one token (got {length}).", length=length),
            m(
                "{model} has positions for {limit} tokens, and a decode step takes one.",
                model=str(request.model),
                limit=limit,
            ),
            m("Use --cache-length {limit} or less.", limit=limit - 1),
        )
    batch = request.batch or 1
    if not shell.config.is_encoder_decoder:
        if request.tokens is not None:
            raise UsageError(
                m("Only one of --tokens and --cache-length can be given."),
                m("A decode step takes one token; earlier tokens are in the cache."),
                m("Give one of them."),
            )
        return _synthetic(shell, batch, length, request.seed, "cpu")
    tokens = request.tokens or DEFAULT_TOKENS
    _refuse_too_long(tokens, limit, str(request.model))
    given = _synthetic(shell, batch, tokens, request.seed, "cpu")
    written = _synthetic(shell, batch, length, request.seed, "cpu")["input_ids"]
    written[:, 0] = _decoder_start(shell, batch, "cpu", given)["decoder_input_ids"][:, 0]
    return {**given, "decoder_input_ids": written}
