"""The names of a model's tokens: CTranslate2 has its writers read and write names, not numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PAD = "<pad>"  # the converters look for it by name
# What the converters ask a tokenizer for.
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")


def names_of(tokenizer: Any, size: int, pad: int | None) -> list[str]:
    """A separate name for each of the `size` tokens of a model: that of its `tokenizer` (None: it has none), or a number.

    A vocabulary with gaps, or of another size than the model's, would shift the tokens behind in the converters' own way.
    """
    found: dict[int, str] = {}
    for name, number in (tokenizer.get_vocab() if tokenizer is not None else {}).items():
        found.setdefault(number, name)
    if pad is not None and _PAD not in found.values():
        found[pad] = _PAD
    taken = {found[number] for number in range(size) if number in found}
    return [found[number] if number in found else _unused(f"<{number}>", taken) for number in range(size)]


def _unused(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"<{name}>"
    return name


class NamedTokens:
    """What a converter takes for a tokenizer: the `names` of all tokens, and the special ones by the model's numbers."""

    chat_template = None
    special_tokens_map: Mapping[str, Any] = {}

    def __init__(self, names: list[str], config: Any) -> None:
        self._names = names
        for name in _SPECIAL:
            given = getattr(config, f"{name}_id", None)
            given = given[0] if isinstance(given, list) and given else given
            # A model without one has any token in its place; nothing here goes by it.
            number = given if isinstance(given, int) and 0 <= given < len(names) else 0
            setattr(self, name, names[number])
            setattr(self, f"{name}_id", number)

    def get_vocab(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._names)}

    def convert_ids_to_tokens(self, number: int) -> str:
        return self._names[number]

    def convert_tokens_to_ids(self, name: str) -> int:
        return self._names.index(name)
