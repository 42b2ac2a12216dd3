"""Which head a task needs, and whether a model has it: by the mappings of transformers, not by a list of ours."""

from __future__ import annotations

from typing import Any

from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m

WRITE, EXTRACT = "write", "extract"  # heads that more than one task, or only a part of one, asks for
_WRITING_TASKS = ("generate", "translate", "chat")
_AUTO_CLASS = {
    "embed": "AutoModel",
    "classify": "AutoModelForSequenceClassification",
    "fill": "AutoModelForMaskedLM",
    WRITE: "AutoModelForCausalLM",
    EXTRACT: "AutoModelForQuestionAnswering",
}


def head_of(task: str, config: Any) -> str:
    """The head that `task` needs on a model of this configuration. Raises `Unsupported` where an encoder is to write.

    An answer is marked in the context by a model that is configured for that, or that can do nothing else; any other
    model writes it.
    """
    if task == "answer":
        return EXTRACT if _configured_to_extract(config) or not _can_write(config) else WRITE
    if task not in _WRITING_TASKS:
        return task
    refuse_encoder(config)
    return WRITE


def head_in_hand(task: str, model: Any) -> str:
    """The same for a model that is there already, with the one head that it has."""
    config = getattr(model, "config", None)
    if task == "answer":
        name = type(model).__name__
        if name.endswith("ForQuestionAnswering"):
            return EXTRACT
        if not can_generate(model):
            raise Unsupported(
                m("A {name} cannot answer questions.", name=name),
                m("It has neither a question-answering head nor a language-model head."),
                m("Use a model for question answering, or one with a language-model head."),
            )
        return WRITE
    return head_of(task, config)


def auto_class(head: str, config: Any) -> Any:
    """The class of transformers that makes a model with this head."""
    import transformers

    if head == WRITE and config.is_encoder_decoder:
        speech = transformers.AutoModelForSpeechSeq2Seq  # what reads sound is known to another class
        return speech if type(config) in speech._model_mapping else transformers.AutoModelForSeq2SeqLM
    return getattr(transformers, _AUTO_CLASS[head])


def pad_for_classes(config: Any) -> None:
    """Give the configuration of a decoder a padding token where it has none: that which ends a text, as tokenizers do.

    A decoder that classifies reads the last token that is none, and takes no batch without knowing it.
    """
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    if is_decoder(config) and getattr(text, "pad_token_id", None) is None:
        ends = getattr(text, "eos_token_id", None)
        text.pad_token_id = ends[0] if isinstance(ends, list) and ends else ends if isinstance(ends, int) else 0


def can_generate(model: Any) -> bool:
    """Whether `model.generate` is there and works."""
    return callable(getattr(model, "generate", None)) and bool(getattr(model, "can_generate", bool)())


def is_decoder(config: Any) -> bool:
    """Whether transformers knows the model as a causal and not as a masked language model."""
    from transformers.models.auto import modeling_auto

    kind = getattr(config, "model_type", "")
    return (
        kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
        and kind not in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def refuse_encoder(config: Any) -> None:
    """An encoder sees the whole text at once and predicts no next token. Raises `Unsupported`."""
    from transformers.models.auto import modeling_auto

    kind = getattr(config, "model_type", "")
    if kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not _can_write(config):
        raise Unsupported(
            m("A model of the type {kind} cannot generate text.", kind=repr(kind)),
            m("It is an encoder, which does not predict a next token."),
            m("Use --task embed, classify, fill or answer, or a decoder or an encoder-decoder."),
        )


def _can_write(config: Any) -> bool:
    return bool(
        getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False) or is_decoder(config)
    )


def _configured_to_extract(config: Any) -> bool:
    head = next(iter(getattr(config, "architectures", None) or ()), "")
    return str(head).endswith("ForQuestionAnswering")
