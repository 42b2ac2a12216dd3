"""What a student learns from: rows of the user's texts, whole, in random cuts, and with other tokens in some places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from cyclescope.core.results import held_out

Row = dict[str, torch.Tensor]  # [tokens] each, without padding

_REPLACED = (0.1, 0.3, 0.6)  # shares of the tokens of a row
_LEAST_CUT = 4  # tokens of a cut between the first and the last of its text
LEAST_TEXTS = 8


@dataclass(frozen=True, eq=False)
class Lessons:
    """Rows to learn from and rows that are held out. `own` are the tokens of the first, `tokens` is how many there are.

    What the whole model gives is known for any tokens, so texts without meaning teach as well, and dozens of
    real ones alone are soon known by heart.
    """

    learned: Sequence[Row]
    held_out: Sequence[Row]
    own: Sequence[int]
    tokens: int

    def batch(self, chance: Random, size: int) -> dict[str, torch.Tensor]:
        """`size` rows to learn from, every fourth unchanged and the others random cuts with other tokens."""
        rows = [chance.choice(self.learned) for _ in range(size)]
        return padded([row if k % 4 == 0 else self._altered(_cut(row, chance), chance) for k, row in enumerate(rows)])

    def _altered(self, row: Row, chance: Random) -> Row:
        """`row` with some tokens between the first and the last replaced, one half of them by tokens of other texts."""
        share = chance.choice(_REPLACED)
        ids = row["input_ids"].tolist()
        for k in range(1, len(ids) - 1):
            if chance.random() < share:
                ids[k] = chance.choice(self.own) if chance.random() < 0.5 else chance.randrange(self.tokens)
        return {**row, "input_ids": torch.tensor(ids)}


def lessons(inputs: Iterable[Mapping[str, Any]], texts: Sequence[int], tokens: int) -> Lessons:
    """The rows of all calls, which are of `texts`, each once; a text that is held out is not learned from elsewhere.
    `tokens` is the size of the vocabulary.
    """
    rows = [row for given in inputs for row in _rows(given)]
    out = set(held_out(len(rows)))
    known: dict[tuple[int, ...], Row] = {}
    kept: dict[tuple[int, ...], Row] = {}
    for number, row in zip(texts, rows, strict=True):
        (kept if number in out else known)[tuple(row["input_ids"].tolist())] = row
    learned = {ids: row for ids, row in known.items() if ids not in kept}
    return Lessons(list(learned.values()), list(kept.values()), sorted({t for ids in learned for t in ids}), tokens)


def padded(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """`rows` as the inputs of one call: zeros behind the shorter ones, where the mask says so."""
    return {name: torch.nn.utils.rnn.pad_sequence([row[name] for row in rows], batch_first=True) for name in rows[0]}


def _rows(given: Mapping[str, Any]) -> Iterable[Row]:
    ids = given["input_ids"]
    mask = given.get("attention_mask", torch.ones_like(ids))
    columns = {name: value for name, value in given.items() if getattr(value, "shape", None) == ids.shape}
    for k, here in enumerate(mask.bool()):
        yield {name: value[k][here] for name, value in columns.items()} | {"attention_mask": mask[k][here]}


def _cut(row: Row, chance: Random) -> Row:
    """A run of tokens from the middle, between the first and the last of the row, which most models have of their own."""
    inside = len(row["input_ids"]) - 2
    if inside <= _LEAST_CUT:
        return row
    length = chance.randint(_LEAST_CUT, inside)
    begin = 1 + chance.randint(0, inside - length)
    kept = torch.tensor([0, *range(begin, begin + length), inside + 1])
    return {name: value[kept] for name, value in row.items()}
