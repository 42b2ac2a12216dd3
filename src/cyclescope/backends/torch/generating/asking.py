"""The texts of one batch: as they are given, or in the words in which a task is put to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.backends.base import Request
from cyclescope.backends.torch.loading.heads import WRITE, is_decoder
from cyclescope.backends.torch.loading.loading import IN_HAND, Loaded
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, m

CHINESE_SENTENCE = "这是一个简单的BERT模型示例。"
ENGLISH_SENTENCE = "This is a simple example of a BERT model."
CHINESE_PAIR = ("什么进入分词器？", "文本进入分词器，经过嵌入、各层和输出头，结果随之而出。")
ENGLISH_PAIR = (
    "What goes into the tokenizer?",
    "Text goes into the tokenizer, passes the embedding, the layers and the head, and a result comes out.",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What the tokenizer is given: one column of texts, or two where it joins pairs itself; none without texts.

    `note` says in which words a task was put to a model that has no head of its own for it.
    """

    columns: tuple[tuple[str, ...], ...] = ()
    note: Text = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is read, each text once."""
        return tuple(text for column in self.columns for text in column)


def batch_of(request: Request, loaded: Loaded) -> Batch:
    """The texts of `request`, repeated until its batch is full; something of ours where nothing at all was given."""
    if request.tokens is not None or request.inputs is not None:
        return Batch()
    if loaded.tokenizer is None and loaded.source == IN_HAND:
        raise UsageError(
            m("{reference} has no tokenizer, so it cannot take a text.", reference=loaded.reference),
            m("A model object comes without one."),
            m("Give tokenizer= with the text, or tokens= for a synthetic input, or inputs= for tensors by name."),
        )
    if loaded.tokenizer is None:
        raise UsageError(
            m("{reference} has no tokenizer, so it cannot take a text.", reference=loaded.reference),
            m("Its folder holds none, and it is not a built-in architecture."),
            m("Use --tokens N, or put tokenizer.json beside config.json."),
        )
    chinese = "chinese" in loaded.reference.lower()
    if loaded.task == "answer":
        return _answer(request, loaded, CHINESE_PAIR if chinese else ENGLISH_PAIR)
    texts = list(request.texts) or [CHINESE_SENTENCE if chinese else ENGLISH_SENTENCE]
    refuse_undecoded(m("Text"), texts)
    if loaded.task == "translate" and is_decoder(getattr(loaded.model, "config", None)):
        prompts = [f"Translate into {'English' if _is_chinese(text) else 'Chinese'}: {text}\n" for text in texts]
        return Batch((_filled(prompts, request.batch),), m("The model was asked with “Translate into …: TEXT”."))
    return Batch((_filled(texts, request.batch),))


def _answer(request: Request, loaded: Loaded, ours: tuple[str, str]) -> Batch:
    questions, contexts = list(request.questions) or [ours[0]], list(request.contexts) or [ours[1]]
    refuse_undecoded(m("Question"), questions)
    refuse_undecoded(m("Context"), contexts)
    if loaded.head != WRITE:
        return Batch((_filled(questions, request.batch), _filled(contexts, request.batch)))
    prompts = [f"question: {q} context: {c}" for q, c in zip(questions, contexts, strict=True)]
    if is_decoder(getattr(loaded.model, "config", None)):
        prompts = [f"{text} answer:" for text in prompts]
    return Batch((_filled(prompts, request.batch),), m("The model was asked with “question: … context: …”."))


def _filled(texts: list[str], batch: int | None) -> tuple[str, ...]:
    return tuple(texts[i % len(texts)] for i in range(batch or len(texts)))


def refuse_undecoded(what: Text, texts: Sequence[str]) -> None:
    """Raise `UsageError` for a text with bytes in it that were no UTF-8."""
    for position, text in enumerate(texts):
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError(
                m("{what} {position} is not Unicode text.", what=what, position=position + 1),
                m("It contains bytes that are not UTF-8."),
                m("Give it in UTF-8; a file of another encoding can be converted with iconv."),
            )


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
