"""The options of `measure` as one type, which everything that measures takes by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, TypedDict, TypeVar, Unpack, get_type_hints

from cyclescope.backends.base import Request
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, listed, m

_Measuring = TypeVar("_Measuring", bound=Callable[..., Any])
# Fields of a request that have another name, or one text as well as several.
_SEVERAL = {"question": "questions", "context": "contexts"}


class MeasureOptions(TypedDict, total=False):
    """What `measure` takes by name beside the model and the text; the defaults are those of `Request`.

    tokenizer: the tokenizer of a model object
    tokens: the length of a synthetic input, instead of a text
    inputs: the input as tensors by name, instead of a text
    batch: the batch size, which repeats the input (default: the number of texts)
    task: auto, embed, classify, fill, answer, translate or generate
    new_tokens: how many tokens the cycle generates (default: 32 for generative tasks)
    sampling: greedy or sample
    cache: dynamic, static or off
    question, context: one or several, of the task answer
    weights: auto, pretrained or random
    device: cpu, cuda or cuda:N
    threads: intra-op threads (default: the engine's choice)
    dtype: float32, bfloat16 or float16
    attention: eager or sdpa (default: transformers' choice)
    engine: what runs the model; all but torch export it first
    export_to: a folder that keeps the exported files
    seed: for random weights and synthetic tokens
    keep_text: store the texts in the cycle
    trust_remote_code: run Python code that comes with the model
    """

    tokenizer: object | None
    tokens: int | None
    inputs: Mapping[str, object] | None
    batch: int | None
    task: str
    new_tokens: int | None
    sampling: str
    cache: str
    question: str | Sequence[str] | None
    context: str | Sequence[str] | None
    weights: str
    device: str
    threads: int | None
    dtype: str | None
    attention: str | None
    engine: str
    export_to: str | None
    seed: int
    keep_text: bool
    trust_remote_code: bool


def request_of(
    model: str | object, text: str | Sequence[str] | None = None, **options: Unpack[MeasureOptions]
) -> Request:
    """The request that `options` make. Raises `UsageError` for an option that there is not."""
    known = get_type_hints(MeasureOptions)
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            way_out: Text = (
                m("Did you mean {name}?", name=repr(near[0])) if near else m("Options: {all}.", all=listed(known))
            )
            raise UsageError(m("There is no option {name}.", name=repr(name)), "", way_out)
    values: dict[str, Any] = dict(options)
    for name, field in _SEVERAL.items():
        values[field] = _several(values.pop(name, None))
    # An empty text is an input, and a wrong one; no text at all is none.
    texts = (text,) if isinstance(text, str) else tuple(text or ())
    return Request(model=model, texts=texts, **values)


def _several(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def shows_options(function: _Measuring) -> _Measuring:
    """Let `help`, notebooks and editors show every option of `function` with its default, not `**options` alone."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    names = {parameter.name for parameter in own}
    defaults = {field.name: field.default for field in fields(Request) if field.default is not MISSING}
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=hint)
        for name, hint in MeasureOptions.__annotations__.items()
        if name not in names
    ]
    function.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return function
