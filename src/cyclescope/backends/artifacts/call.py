"""One call of a model that an engine runs from a file: what goes in, what stands around it. Arrays only, no framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.structure import TextEnds
from cyclescope.core.units import AnyArray


class Outputs(dict[str, Any]):
    """Arrays by name, which are attributes too; what is not there is None, as in transformers."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


@dataclass(frozen=True, slots=True)
class ArrayCall:
    """`encode` makes the arrays of a call from its texts, or gives those that were given; `fixed` are further ones that are
    the same in every cycle (the start of a decoder).

    `read_out` makes words of the `Outputs`, or of token ids [texts, tokens] where `new_tokens` are generated; None where the
    result is the vector itself. `words_are_safe`: they do not tell what went in. `ends` names both for the graph,
    `class_name` is the model's. `repeats_prompt`: token ids that come out stand behind those of the prompt.
    """

    encode: Callable[[], Mapping[str, AnyArray]]
    fixed: Arrays
    ends: TextEnds
    class_name: str
    read_out: Callable[[Any], str] | None = None
    words_are_safe: bool = True
    new_tokens: int = 0
    repeats_prompt: bool = True
    classes: tuple[str, ...] = ()
    generates: bool = False

    def arrays(self) -> dict[str, AnyArray]:
        """All that goes into the call."""
        return {**self.encode(), **self.fixed}

    def words(self, result: Any) -> str | None:
        """What came out in words; None where nothing reads it out."""
        return self.read_out(result) if self.read_out is not None else None

    def outcome(self, words: str | None, result: Any) -> str:
        """The `words` where they may be kept, else the shapes of what came out."""
        return words if words is not None and self.words_are_safe else shapes_of(result)


def shapes_of(result: Any) -> str:
    """The arrays that came out, by name and shape."""
    named = result.items() if hasattr(result, "items") else [("output", result)]
    return ", ".join(f"{name} {'×'.join(str(s) for s in value.shape)}" for name, value in named)
