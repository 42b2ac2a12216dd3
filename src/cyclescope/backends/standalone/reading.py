"""Texts to what a model gives for each of them, a few texts at a time. Tensors of PyTorch and arrays alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def calls_for(tokenizer: Any, texts: Sequence[str], size: int, *, by_length: bool) -> list[list[int]]:
    """The texts of each call, as their numbers: `size` together (0: all), in order or neighbours by length in tokens."""
    order = list(range(len(texts)))
    if by_length:
        lengths = [len(ids) for ids in tokenizer(list(texts), verbose=False)["input_ids"]]
        order.sort(key=lambda k: (lengths[k], k))
    size = size or max(1, len(order))
    return [order[at : at + size] for at in range(0, len(order), size)]


def encoded(tokenizer: Any, texts: Sequence[str], longest: int | None, kind: str = "pt") -> Any:
    """The tensors of a call, of the `kind` that the tokenizer calls so; what is longer than the model takes is cut."""
    cut = {"truncation": True, "max_length": longest} if longest else {}
    return tokenizer(list(texts), padding=True, return_tensors=kind, verbose=False, **cut)


def fed(calls: Sequence[Sequence[int]], encode: Callable[[Sequence[int]], Any], *, beside: bool) -> Iterator[Any]:
    """The tensors of each call, made just before it, or `beside` in a second thread while the call before it runs."""
    if not beside:
        yield from map(encode, calls)
        return
    with ThreadPoolExecutor(1, "tokenize") as second:
        coming = [second.submit(encode, some) for some in calls[:1]]
        for following in (*calls[1:], None):
            inputs = coming.pop().result()
            if following is not None:
                coming.append(second.submit(encode, following))
            yield inputs


def for_each(
    tokenizer: Any,
    texts: Sequence[str],
    run: Callable[[Any], Any],
    size: int,
    *,
    by_length: bool,
    beside: bool,
    longest: int | None,
    kind: str = "pt",
) -> list[Any]:
    """What `run` gives for each text, in the order of `texts`: it is handed the tensors of a call and gives a row a text."""
    calls = calls_for(tokenizer, texts, size, by_length=by_length)

    def encode(some: Sequence[int]) -> Any:
        return encoded(tokenizer, [texts[k] for k in some], longest, kind)

    found: dict[int, Any] = {}
    for some, inputs in zip(calls, fed(calls, encode, beside=beside), strict=True):
        found |= dict(zip(some, run(inputs), strict=True))
    return [found[k] for k in range(len(texts))]


def read(
    tokenizer: Any,
    model: Callable[..., Any],
    texts: Sequence[str],
    output: str,
    *,
    size: int = 0,
    by_length: bool = False,
    beside: bool = False,
    longest: int | None = None,
    kind: str = "pt",
    more: Callable[[int], dict[str, Any]] = lambda texts: {},
) -> list[Any]:
    """What `model` gives as `output` for each text, in the order of `texts`: a row a token without padding, or a row of
    classes. `more` are further arguments of a call with so many texts.
    """

    def run(inputs: Any) -> list[Any]:
        given = getattr(model(**inputs, **more(len(inputs["input_ids"]))), output)
        mask = inputs["attention_mask"] > 0 if "attention_mask" in inputs else inputs["input_ids"] >= 0
        pairs = zip(given, mask, strict=True)
        return [rows[here] if rows.ndim == 2 and len(rows) == len(here) else rows for rows, here in pairs]

    return for_each(tokenizer, texts, run, size, by_length=by_length, beside=beside, longest=longest, kind=kind)
