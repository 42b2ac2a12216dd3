"""Rows of the head for tokens that are never written are left out."""

from __future__ import annotations

from typing import Any

import torch

from cyclescope.backends.torch.changes.change import Edits, Subject
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.results import held_out

# With more of the rows kept than this, the trouble is not worth it.
_MOST_KEPT = 0.8
# What tokenizers put before or behind a piece to tell words from their parts.
_MARKS = ("##", "▁", "Ġ", "</w>")


def trim_vocabulary(subject: Subject, amount: float) -> Edits:
    """Keep the rows of the head for tokens of the texts, for what the model writes on them, for special tokens, and for
    single characters and bytes, of which anything can be spelled.

    Texts that are held out are not looked at: on them the same tokens come out only if the others have shown enough.
    """
    model: Any = subject.model
    if subject.tokenizer is None or subject.write is None:
        raise Unsupported(
            m("No texts are given, or the model does not generate."),
            m("The texts determine which tokens are needed."),
            "",
        )
    out = set(held_out(len(subject.texts)))
    if not out:
        raise Unsupported(m("There are too few texts to tell which tokens others need."), "", m("Give four or more."))
    head = model.get_output_embeddings()
    if type(head) is not torch.nn.Linear:
        raise Unsupported(m("The head is not a plain linear layer."))
    rows = [
        {*read.tolist(), *written.tolist()}
        for inputs, answers in zip(subject.inputs, subject.write(), strict=True)
        for read, written in zip(inputs["input_ids"], answers, strict=True)
    ]
    seen = [row for number, row in zip(subject.texts, rows, strict=True) if number not in out]
    needed = _special(model, subject.tokenizer).union(_characters(subject.tokenizer), *seen)
    kept = sorted(token for token in needed if 0 <= token < head.out_features)
    if len(kept) > _MOST_KEPT * head.out_features:
        raise Unsupported(
            m(
                "{count} of {tokens} tokens are needed, so too few can be removed.",
                count=len(kept),
                tokens=head.out_features,
            )
        )
    path = next(path for path, module in model.named_modules() if module is head)
    said = m(
        "{kept} of {tokens} tokens kept, from {texts} texts", kept=len(kept), tokens=head.out_features, texts=len(seen)
    )
    return Edits((Edit("keep-tokens", path, tuple(kept)),), said)


def _special(model: Any, tokenizer: Any) -> set[int]:
    """Ids that a generation may have to write whatever the text says."""
    found = set(tokenizer.all_special_ids)
    for settings in (model.config, model.generation_config):
        for name in ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "forced_bos_token_id"):
            value = getattr(settings, name, None)
            found |= set(value) if isinstance(value, list | tuple) else {value} if isinstance(value, int) else set()
    return found


def _characters(tokenizer: Any) -> set[int]:
    """Tokens of one character or byte."""
    found = set()
    for piece, token in tokenizer.get_vocab().items():
        bare = piece
        for mark in _MARKS:
            bare = bare.removeprefix(mark).removesuffix(mark)
        if len(bare) <= 1 or (len(bare) == 6 and bare.startswith("<0x")):
            found.add(int(token))
    return found
