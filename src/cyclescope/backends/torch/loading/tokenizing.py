"""The tokenizers of a model without the model: its own, and the same one written in Python where there is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from cyclescope.backends.base import OpenTokenizers, Request
from cyclescope.backends.settings import note_imports
from cyclescope.backends.torch.keeping.settings import quiet
from cyclescope.backends.torch.loading.loading import recipe, shown_reference, tokenizer_of
from cyclescope.backends.torch.packages import PACKAGES
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.message import Text, m
from cyclescope.core.tokenization import TokenCount, TokenizerInfo
from cyclescope.machines.host import read_machine

_T = TypeVar("_T")
_SANE_LENGTH = 1_000_000  # transformers says 1e30 where a tokenizer has no limit


@dataclass(frozen=True, eq=False)
class TorchTokenizer:
    """Implements `backends.base.TextTokenizer` on a tokenizer of transformers."""

    tokenizer: Any
    info: TokenizerInfo

    def count(self, text: str) -> TokenCount:
        # Quietly: that a text is longer than the model takes is in the report.
        whole = self._asked(lambda: self.tokenizer(text, verbose=False)["input_ids"])
        own = self._asked(lambda: self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        unknown = _unknown_id(self.tokenizer)
        return TokenCount(len(own), len(whole) - len(own), own.count(unknown) if unknown is not None else 0)

    def encode(self, text: str) -> None:
        self._asked(lambda: self.tokenizer([text], return_tensors="pt", verbose=False))

    def _asked(self, call: Callable[[], _T]) -> _T:
        try:
            return call()
        except Exception as exc:
            line = next((line for line in str(exc).splitlines() if line.strip()), "")
            raise EngineError(
                m("The tokenizer {name} failed.", name=self.info.name),
                f"{type(exc).__name__}: {line}",
                m("Check that its files are complete. CYCLESCOPE_DEBUG=1 prints the traceback."),
            ) from exc


def open_torch_tokenizers(request: Request) -> OpenTokenizers:
    """The tokenizers of what `request` names, or the one in the user's hands. No weights are read."""
    note_imports()
    quiet()
    note: Text = ""
    if isinstance(request.model, str):
        made = recipe(request)
        own, name, stand_in = tokenizer_of(made.source, made.config, request)
        config, reference, note = made.config, shown_reference(request.model), made.note
    else:
        own, name, stand_in = request.tokenizer, type(request.tokenizer).__name__, False
        config, reference = getattr(request.model, "config", None), type(request.model).__name__
    if own is None:
        raise UsageError(
            m("{reference} has no tokenizer.", reference=reference),
            m("The model came without a tokenizer."),
            m("Put tokenizer.json beside its config.json, or pass the tokenizer too."),
        )
    found = [TorchTokenizer(own, _info(own, name, stand_in))]
    counterpart = python_counterpart(own)
    if counterpart is not None:
        found.append(TorchTokenizer(counterpart, _info(counterpart, type(counterpart).__name__, stand_in)))
    return OpenTokenizers(
        reference=reference,
        machine=read_machine("cpu", packages=PACKAGES),
        tokenizers=tuple(found),
        longest=_longest(config, own),
        notes=(note,) if note else (),
    )


def python_counterpart(fast: Any) -> Any | None:
    """The Python tokenizer with the vocabulary and rules of `fast`, or None where transformers has none.

    Since version 5 transformers loads a Python tokenizer only where there is no other; BERT's is still there, under the
    name of a legacy. So a counterpart exists for WordPiece as BERT cuts it, a stand-in of ours included.
    """
    if not getattr(fast, "is_fast", False):
        return None
    try:
        from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy
    except ImportError:
        return None
    state = json.loads(fast.backend_tokenizer.to_str())
    model, rules = state["model"], state["normalizer"] or {}
    if (
        model["type"] != "WordPiece"
        or model["continuing_subword_prefix"] != "##"
        or rules.get("type") != "BertNormalizer"
    ):
        return None
    ids: dict[str, int] = fast.get_vocab()
    pieces = sorted(ids, key=ids.__getitem__)
    if any(ids[piece] != place or "\n" in piece or "\r" in piece for place, piece in enumerate(pieces)):
        return None  # its vocabulary cannot be written as lines, which is how the Python one reads it
    with TemporaryDirectory(prefix="cyclescope-") as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8", newline="\n")
        return BertTokenizerLegacy(
            str(file),
            do_lower_case=rules["lowercase"],
            strip_accents=rules["strip_accents"],
            tokenize_chinese_chars=rules["handle_chinese_chars"],
            **{
                role: getattr(fast, role) for role in ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
            },
        )


def _info(tokenizer: Any, name: str, stand_in: bool) -> TokenizerInfo:
    fast = bool(getattr(tokenizer, "is_fast", False))
    size = 0
    with suppress(TypeError, NotImplementedError):  # a tokenizer of the user's own need not know its size
        size = len(tokenizer)
    return TokenizerInfo(name, fast, stand_in, size)


def _unknown_id(tokenizer: Any) -> int | None:
    """The id that stands for what is not in the vocabulary.

    None where there is none: a tokenizer of bytes knows everything, and GPT-2's names its end of text the unknown token.
    """
    unknown: int | None = getattr(tokenizer, "unk_token_id", None)
    others = (getattr(tokenizer, role, None) for role in ("bos_token_id", "eos_token_id", "pad_token_id"))
    return None if unknown in others else unknown


def _longest(config: Any, tokenizer: Any) -> int | None:
    """The most tokens of one text, special ones included, as model and tokenizer say without being built."""
    limits = (getattr(config, "max_position_embeddings", None), getattr(tokenizer, "model_max_length", None))
    sane = [int(limit) for limit in limits if isinstance(limit, int) and 0 < limit < _SANE_LENGTH]
    return min(sane) if sane else None
