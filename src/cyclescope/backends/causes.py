"""What engines and models raise, by cause: each cause has its own fact, reason and remedy.

To add one, write how it is recognized and what is said, and put it into `CAUSES`, before what is more general. Engines
raise plain `RuntimeError`s, so most causes are recognized by their words: those of PyTorch 2.13, transformers 5.24 and
ONNX Runtime 1.32 unless a comment says otherwise.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from cyclescope.core.errors import CyclescopeError, EngineError, Unsupported, UsageError
from cyclescope.core.message import N_, Message, Text, m

Recognizes: TypeAlias = Callable[[BaseException], bool]
Says: TypeAlias = Callable[[Text, BaseException], CyclescopeError]

# As PyTorch, the C++ library beneath an engine, and ONNX Runtime say it.
_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "Failed to allocate memory")
_OUT_OF_MEMORY = "OutOfMemoryError"  # as frameworks call theirs, which derives from no error of Python's
_FOREIGN = "{why}"  # nothing but what the engine says, which no language translates
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Misaligned(Exception):
    """An instrumented run did not show the calls that were traced."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for which engines fail. `recognizes` is asked of each exception in a chain; `says` is given what the
    engine was doing ("run the model") and the exception that was recognized.
    """

    recognizes: Recognizes
    says: Says


def cause_of(exc: BaseException) -> tuple[Cause, BaseException]:
    """The first cause of `CAUSES` that is met in `exc` or in what it was raised from, and where; or that `exc` is unknown."""
    for cause in CAUSES:
        for link in causes_in(exc):
            if cause.recognizes(link):
                return cause, link
    return _UNKNOWN, exc


def causes_in(exc: BaseException | None) -> Iterator[BaseException]:
    """`exc`, and what each was raised from."""
    while exc is not None:
        yield exc
        exc = exc.__cause__


def is_memory_error(exc: BaseException) -> bool:
    """Whether `exc` itself says that there was too little memory."""
    named = isinstance(exc, MemoryError) or type(exc).__name__ == _OUT_OF_MEMORY
    return named or any(words in str(exc) for words in _NO_MEMORY)


def foreign_words(exc: BaseException) -> str:
    """The kind of `exc` and what it says, in one line without colours: with the next where the first only announces it."""
    return f"{type(exc).__name__}: {first_line(exc)}"


def first_line(exc: BaseException) -> str:
    lines = [line.strip() for line in _COLOUR.sub("", str(exc)).splitlines() if line.strip()]
    said = 1 + next((k for k, line in enumerate(lines) if not line.endswith(":")), 0)
    return " ".join(lines[:said]) or type(exc).__name__


def words(pattern: str) -> Recognizes:
    """Recognizes what says something that `pattern` is found in."""
    compiled = re.compile(pattern)
    return lambda exc: compiled.search(str(exc)) is not None


def _out_of_memory(doing: Text, exc: BaseException) -> CyclescopeError:
    return EngineError(
        m("Not enough memory to {doing}.", doing=doing),
        first_line(exc),
        m("Try a smaller --batch, fewer --tokens, --dtype bfloat16, or a smaller model."),
    )


def _misaligned(doing: Text, exc: BaseException) -> CyclescopeError:
    others = sorted(thread.name for thread in threading.enumerate() if thread is not threading.current_thread())
    way_out: Text = m(
        "Look for randomness, or for state that is kept between calls (a cache, a counter, training mode)."
    )
    if others:
        way_out = m(
            "Look for randomness, for state that is kept between calls (a cache, a counter, training mode), or for another thread that computes meanwhile (running: {threads}).",
            threads=", ".join(others[:_MOST_THREADS]),
        )
    return EngineError(
        m("The model does not run the same operations in every cycle, so time cannot be attributed to operations."),
        m("An instrumented run differs from the traced one: {difference}.", difference=str(exc)),
        way_out,
    )


_MOST_THREADS = 4  # names of them


def _could_not(
    kind: type[CyclescopeError], why: str, way_out: Text, words_of: Callable[[BaseException], str] = first_line
) -> Says:
    """Says that the engine could not do it, `why` (a template for the foreign words `{why}`), and the `way_out`."""

    def says(doing: Text, exc: BaseException) -> CyclescopeError:
        reason = Message(why, (("why", words_of(exc)),))
        return kind(m("The engine could not {doing}.", doing=doing), reason, way_out)

    return says


_UNKNOWN = Cause(
    lambda exc: True,
    _could_not(
        EngineError,
        _FOREIGN,
        m(
            "Call the model once in your own code with the same input: an error of the model shows itself there too. CYCLESCOPE_DEBUG=1 prints the traceback."
        ),
        foreign_words,
    ),
)
CAUSES: tuple[Cause, ...] = (
    Cause(is_memory_error, _out_of_memory),
    Cause(lambda exc: isinstance(exc, Misaligned), _misaligned),
    Cause(
        words(r"meta tensor|device meta\b|on the meta device|'Meta' backend"),
        _could_not(
            UsageError,
            N_("A tensor of the model or of its input is on the meta device, which holds no values."),
            m(
                "Load the model and make its input while the default device is not meta. `cyclescope trace` shows the structure of a model without values."
            ),
        ),
    ),
    Cause(
        words(r"Expected all tensors to be on the same device"),
        _could_not(
            UsageError,
            _FOREIGN,
            m("Move the model and everything that it holds or is given to one device: model.to(…)."),
        ),
    ),
    Cause(
        words(r"specify `?(pixel_values|input_features|input_values)"),
        _could_not(
            Unsupported,
            N_("The model reads pictures or sound, and is given none ({why})."),
            m("Give them in Python: cyclescope.measure(model, inputs={{NAME: …}})."),
        ),
    ),
    Cause(
        words(r"no padding token is defined"),
        _could_not(
            UsageError,
            N_("A decoder that classifies a batch must know its padding token ({why})."),
            m("Set it: model.config.pad_token_id = tokenizer.pad_token_id, or that of the end of a text."),
        ),
    ),
    Cause(
        words(r"index out of range in self"),
        _could_not(
            EngineError,
            N_("A token, position or other index is beyond the rows of an embedding ({why})."),
            m("Use the tokenizer that belongs to the model, and no more tokens than it has positions."),
        ),
    ),
    Cause(
        words(r"unexpected keyword argument|required positional argument|`model_kwargs` are not used"),
        _could_not(
            UsageError,
            N_("The names of the inputs do not fit the model ({why})."),
            m("Give inputs= by the names that its `forward` or `generate` takes."),
        ),
    ),
    Cause(
        words(r"shapes cannot be multiplied"),
        _could_not(
            UsageError,
            N_("The shapes of the input and of the model do not fit ({why})."),
            m("Give inputs in the shapes that the model takes."),
        ),
    ),
    Cause(
        words(r"not implemented for '\w+'"),
        _could_not(
            EngineError, N_("It has no kernel for this dtype ({why})."), m("Try --dtype float32, or another device.")
        ),
    ),
    Cause(
        words(r"same dtype|expected scalar type|expected m1 and m2 to have"),
        _could_not(
            EngineError,
            N_("Two tensors that meet have different dtypes ({why})."),
            m("Give inputs in the dtype of the model, or load the whole model in one: --dtype float32."),
        ),
    ),
    Cause(
        words(r"(?i)scaled_dot_product_attention|flash[-_ ]?att|sdpa|attn_implementation"),
        _could_not(EngineError, _FOREIGN, m("Try --attention eager."), foreign_words),
    ),
)
