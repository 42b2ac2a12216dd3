"""From a transformers model in memory to the folder that CTranslate2 runs.

Its own converters are used, on the model that is there, with whatever has been changed in it. Nothing is looked up,
downloaded or unpickled for that, and the weights are written once, in float32: the engine packs them when it loads them.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from ctranslate2.converters import Converter
from ctranslate2.converters import transformers as converters

from cyclescope.backends.ctranslate2.vocabulary import NamedTokens, names_of
from cyclescope.backends.silence import silence
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

_AUTO = "AutoModel"  # of a converter that takes any class with a head that writes
_WRITERS = ("LMHeadModel", "MTModel")
_CLASSIFIER = "ForSequenceClassification"
_WAY_OUT = m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE)


def refuse_unconvertible(class_name: str, config: Any, *, writes: bool) -> None:
    """Raise `Unsupported` for a model of this class and configuration that there is no converter for, or none for what it
    is to do: one that `writes` has a head for it, and any other gives its vectors.

    The configuration is enough, so this can be asked before there are weights.
    """
    loaders = converters._MODEL_LOADERS
    kind = type(config).__name__
    if kind not in loaders:
        raise Unsupported(
            m(
                "CTranslate2 has no converter for a model of the type {kind}.",
                kind=repr(getattr(config, "model_type", kind)),
            ),
            m(
                "Its converters are for {names}.",
                names=", ".join(sorted(name.removesuffix("Config") for name in loaders)),
            ),
            _WAY_OUT,
        )
    wanted = str(loaders[kind].architecture_name)
    reads = not wanted.startswith(_AUTO) and wanted.endswith("Model") and not wanted.endswith(_WRITERS)
    purpose = (
        m("for its vectors") if reads else m("for its classes") if wanted.endswith(_CLASSIFIER) else m("to generate")
    )
    if reads == writes or (class_name != wanted and not wanted.startswith(_AUTO)):
        raise Unsupported(
            m(
                "CTranslate2 does not run a {class_name} {how}.",
                class_name=class_name,
                how=m("that generates") if writes else m("that encodes"),
            ),
            m("It converts this architecture as {wanted} only, {purpose}.", wanted=wanted, purpose=purpose),
            _WAY_OUT,
        )


def convert(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write `model` to `folder`, which is made. Raises `Unsupported` where a converter does not find what it expects."""
    text = model.config.get_text_config()
    pad = getattr(text, "pad_token_id", None)
    names = names_of(tokenizer, int(text.vocab_size), pad if isinstance(pad, int) else None)
    try:
        with silence(), torch.no_grad(), _little_garbage():
            _InHand(_beside(model), NamedTokens(names, model.config)).convert(str(folder), force=True)
    except (AssertionError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError) as exc:
        line = next(iter(str(exc).strip().splitlines()), "")
        raise Unsupported(
            m("CTranslate2 cannot convert this {class_name}.", class_name=type(model).__name__),
            f"{type(exc).__name__}: {line}",
            _WAY_OUT,
        ) from exc


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Converters collect garbage after each layer, which costs a third of a conversion: only what is new is looked at."""
    if gc.get_freeze_count():
        yield  # somebody keeps objects out of the way already
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _InHand(Converter):  # type: ignore[misc]
    """A converter of a model that is there already."""

    def __init__(self, model: Any, tokenizer: NamedTokens) -> None:
        self._model, self._tokenizer = model, tokenizer

    def _load(self) -> Any:
        return converters._MODEL_LOADERS[type(self._model.config).__name__](self._model, self._tokenizer)


def _beside(model: Any) -> Any:
    """The same modules once more over the same weights: converters take them apart and set the configuration."""
    weights = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    duplicate = copy.deepcopy(model, weights)
    # What the converters ask for and today's configurations no longer have; each had one value only.
    for name, value in (("position_embedding_type", "absolute"), ("normalize_before", False)):
        if not hasattr(duplicate.config, name):
            setattr(duplicate.config, name, value)
    return duplicate
