"""Formulas that are text and computation in one value, so that what is printed and what is computed cannot part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.units import AnyArray
from cyclescope.explaining.metrics.observed import FormulaTerm, Observed


class Sign(StrEnum):
    """What stands between two terms. `WHOLE` is the division of whole numbers, which drops the remainder."""

    PLUS = "+"
    MINUS = "−"
    TIMES = "×"
    OVER = "÷"
    WHOLE = "div"


_LOOSE = (Sign.PLUS, Sign.MINUS)


class Formula:
    """An expression over what was observed. Built with the signs of Python from `symbol`s and whole numbers."""

    def __add__(self, other: Formula | int) -> Pair:
        return Pair(Sign.PLUS, self, _formula(other))

    def __sub__(self, other: Formula | int) -> Pair:
        return Pair(Sign.MINUS, self, _formula(other))

    def __mul__(self, other: Formula | int) -> Pair:
        return Pair(Sign.TIMES, self, _formula(other))

    def __truediv__(self, other: Formula | int) -> Pair:
        return Pair(Sign.OVER, self, _formula(other))

    def __floordiv__(self, other: Formula | int) -> Pair:
        return Pair(Sign.WHOLE, self, _formula(other))

    def value(self, observed: Observed) -> AnyArray:
        """[runs, k] or what numpy stretches to it: one value a run, or one for each gap between tokens; times in ns."""
        raise NotImplementedError

    def text(self, words: Mapping[FormulaTerm, str] | None = None) -> str:
        """As people write it, with the names of the quantities from `words` if there are any."""
        raise NotImplementedError

    def quantities(self) -> frozenset[FormulaTerm]:
        """What must be observed for it."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Symbol(Formula):
    """One observed quantity."""

    quantity: FormulaTerm

    def value(self, observed: Observed) -> AnyArray:
        return observed.value(self.quantity)

    def text(self, words: Mapping[FormulaTerm, str] | None = None) -> str:
        return words[self.quantity] if words else self.quantity.value

    def quantities(self) -> frozenset[FormulaTerm]:
        return frozenset({self.quantity})


@dataclass(frozen=True, slots=True)
class Whole(Formula):
    """A whole number."""

    number: int

    def value(self, observed: Observed) -> AnyArray:
        return np.full((1, 1), self.number, dtype=np.int64)

    def text(self, words: Mapping[FormulaTerm, str] | None = None) -> str:
        return str(self.number)

    def quantities(self) -> frozenset[FormulaTerm]:
        return frozenset()


@dataclass(frozen=True, slots=True)
class Pair(Formula):
    """Two terms and the sign between them."""

    sign: Sign
    left: Formula
    right: Formula

    def value(self, observed: Observed) -> AnyArray:
        left, right = self.left.value(observed), self.right.value(observed)
        if self.sign is Sign.PLUS:
            return np.asarray(left + right)
        if self.sign is Sign.MINUS:
            return np.asarray(left - right)
        if self.sign is Sign.TIMES:
            return np.asarray(left * right)
        if self.sign is Sign.WHOLE:
            return np.asarray(left // right)
        return np.asarray(np.true_divide(left, right))

    @property
    def brackets(self) -> tuple[bool, bool]:
        """Whether the left and the right term stand in brackets."""
        # What follows a minus or a division is kept together; a sum after a plus needs no bracket.
        together = self.sign not in (Sign.PLUS, Sign.TIMES) or _is_loose(self.right)
        return self.sign not in _LOOSE and _is_loose(self.left), isinstance(self.right, Pair) and together

    def text(self, words: Mapping[FormulaTerm, str] | None = None) -> str:
        terms = (term.text(words) for term in (self.left, self.right))
        left, right = (f"({text})" if inside else text for text, inside in zip(terms, self.brackets, strict=True))
        return f"{left} {self.sign.value} {right}"

    def quantities(self) -> frozenset[FormulaTerm]:
        return self.left.quantities() | self.right.quantities()


def symbol(quantity: FormulaTerm) -> Symbol:
    return Symbol(quantity)


def _formula(term: Formula | int) -> Formula:
    return Whole(term) if isinstance(term, int) else term


def _is_loose(term: Formula) -> bool:
    return isinstance(term, Pair) and term.sign in _LOOSE


START, CALLED, FIRST, LAST, TOKEN, BEFORE, END, TOKENS, SEQUENCES, PROMPT = (
    symbol(quantity) for quantity in FormulaTerm
)
