"""The definition of a metric for the page: its formula as MathML, and what `cyclescope define` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup, escape

from cyclescope.core.message import Text
from cyclescope.explaining.metrics.definition import Definition, Summary
from cyclescope.explaining.metrics.formula import Formula, Pair, Sign, Symbol
from cyclescope.explaining.metrics.observed import FormulaTerm
from cyclescope.report.naming.metrics import QUANTITIES
from cyclescope.report.page import Block, Heading
from cyclescope.report.pages.definitions import definition_page
from cyclescope.report.words.translate import Say

_LOOSE = (Sign.PLUS, Sign.MINUS)


@dataclass(frozen=True, slots=True)
class MetricCard:
    """One definition, ready to be opened: `blocks` are the page that `cyclescope define` prints."""

    name: str
    title: Text
    formula: Markup
    blocks: tuple[Block, ...]


def metric_card(definition: Definition, say: Say) -> MetricCard:
    """The card of `definition`, its formula in the language of `say`."""
    page = definition_page(definition)
    below = ((Heading(section.title), *section.blocks) for section in page.sections)
    name = Markup("<mi>{}</mi><mo>=</mo>").format(definition.name.value)
    words = {quantity: say(text) for quantity, text in QUANTITIES.items()}
    blocks = (*page.opening, *chain.from_iterable(below))
    return MetricCard(definition.name.value, page.title, name + _right_side(definition, words), blocks)


def _right_side(definition: Definition, words: Mapping[FormulaTerm, str]) -> Markup:
    formula = mathml(definition.formula, words)
    if definition.summary is not Summary.SLOPE:
        return formula
    # Theil and Sen: the median over all pairs of points; t is the formula, x the position.
    t, x = (_difference(symbol) for symbol in "tx")
    median = "<munder><mi>median</mi><mrow><mi>i</mi><mo>&lt;</mo><mi>j</mi></mrow></munder>"
    line = Markup(median + '<mspace width="0.35em"/>{}').format(_over(t, x))
    return line + Markup('<mo>,</mo><mspace width="1em"/><mi>t</mi><mo>=</mo>') + formula


def _difference(symbol: str) -> Markup:
    part = Markup("<msub><mi>{}</mi><mi>{}</mi></msub>")
    return part.format(symbol, "j") + Markup("<mo>−</mo>") + part.format(symbol, "i")


def mathml(formula: Formula, words: Mapping[FormulaTerm, str]) -> Markup:
    """`formula` as presentation MathML: divisions as fractions, brackets where the order needs them."""
    if isinstance(formula, Symbol):
        return Markup("<mtext>{}</mtext>").format(words[formula.quantity])
    if not isinstance(formula, Pair):
        return Markup("<mn>{}</mn>").format(formula.text())
    left, right = mathml(formula.left, words), mathml(formula.right, words)
    if formula.sign is Sign.OVER:
        return _over(left, right)
    if formula.sign not in _LOOSE:
        left, right = _bracketed(formula.left, left), _bracketed(formula.right, right)
    elif formula.sign is Sign.MINUS:
        right = _bracketed(formula.right, right)
    return left + Markup("<mo>{}</mo>").format(escape(formula.sign.value)) + right


def _over(top: Markup, bottom: Markup) -> Markup:
    return Markup("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>").format(top, bottom)


def _bracketed(term: Formula, formula: Markup) -> Markup:
    loose = isinstance(term, Pair) and term.sign in _LOOSE
    return Markup("<mrow><mo>(</mo>{}<mo>)</mo></mrow>").format(formula) if loose else formula
