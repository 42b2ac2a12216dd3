"""How far the outputs of one plan are from those of another, on the same texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.errors import EngineError
from cyclescope.core.message import m
from cyclescope.core.results import Results
from cyclescope.core.units import AnyArray, FloatArray, IntArray

# Two runs of the same arithmetic in another order agree to this, relative to the size of the numbers.
SAME = 1e-4


@dataclass(frozen=True, slots=True)
class Drift:
    """Each is None where the model has no such output.

    `cosine` is the mean cosine between vectors that belong together (the last hidden state of each token that is no
    padding, else the pooled vector, else the logits of a text), `cosine_least` the smallest; `largest` the largest
    difference of one number, `scale` the root mean square of the reference's. `top1` is the share of texts (or tokens)
    whose likeliest class is the same, `kl` the mean Kullback-Leibler divergence of the other's distribution from the
    reference's in nats. `tokens` is the share of written tokens before the first that differs.
    """

    cosine: float | None = None
    cosine_least: float | None = None
    largest: float | None = None
    scale: float | None = None
    top1: float | None = None
    kl: float | None = None
    tokens: float | None = None

    @property
    def amount(self) -> float:
        """One number for a limit: the larger of 1 − mean cosine and the share of written tokens that differ."""
        cosine = 0.0 if self.cosine is None else max(0.0, 1.0 - self.cosine)
        tokens = 0.0 if self.tokens is None else 1.0 - self.tokens
        return max(cosine, tokens)

    @property
    def same(self) -> bool:
        """Whether the outputs are the same but for rounding: no number differs by more than 1e-4 of its size or of 1."""
        if self.tokens is not None:
            return self.tokens == 1.0
        return self.largest is not None and self.largest <= SAME * max(1.0, self.scale or 0.0)

    def within(self, limit: float) -> bool:
        """Whether it keeps to `limit`; 0 asks for the same outputs but for rounding."""
        return self.same if limit == 0 else self.amount <= limit


def drift(reference: Results, other: Results) -> Drift:
    """How far `other` is from `reference`. Raises `EngineError` where they do not belong to the same texts."""
    if reference.tokens is not None:
        if other.tokens is None:
            raise EngineError(m("The plan generated no text, unlike the baseline."))
        return Drift(tokens=_agreement(reference.tokens, other.tokens))
    name = next((n for n in ("hidden", "pooled", "logits") if getattr(reference, n) is not None), None)
    if name is None:
        raise EngineError(m("The baseline has no outputs that could be compared."))
    if getattr(other, name) is None:
        raise EngineError(m("The plan has no {name}, unlike the baseline.", name=name))
    mine, theirs = _rows(reference, name), _rows(other, name)
    if mine.shape != theirs.shape:
        raise EngineError(
            m(
                "The plan's outputs must have the baseline's shape, {wanted} (got {given}).",
                wanted=str(mine.shape),
                given=str(theirs.shape),
            )
        )
    if not np.all(np.isfinite(mine)):
        raise EngineError(m("The baseline's outputs are not finite, so nothing can be compared with them."))
    if not np.all(np.isfinite(theirs)):
        return Drift(cosine=0.0, cosine_least=0.0, largest=float("inf"), scale=_scale(mine))
    cosines = _cosines(mine, theirs)
    top1, kl = _distributions(reference, other)
    return Drift(
        cosine=float(cosines.mean()),
        cosine_least=float(cosines.min()),
        largest=float(np.abs(mine - theirs).max()),
        scale=_scale(mine),
        top1=top1,
        kl=kl,
    )


def _rows(results: Results, name: str) -> FloatArray:
    """The vectors of `name` that stand for something, one a row."""
    value = np.asarray(getattr(results, name), dtype=np.float64)
    if value.ndim == 3:
        return np.asarray(value[np.asarray(results.mask) > 0])
    return value.reshape(len(value), -1)


def _scale(rows: FloatArray) -> float:
    return float(np.sqrt(np.mean(rows**2))) if rows.size else 0.0


def _cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    both_zero = (np.abs(a).sum(axis=1) == 0) & (np.abs(b).sum(axis=1) == 0)
    cosines: FloatArray = np.where(both_zero, 1.0, (a * b).sum(axis=1) / np.where(norms > 0, norms, 1.0))
    return cosines


def _distributions(reference: Results, other: Results) -> tuple[float | None, float | None]:
    """Share of equal first choices and mean divergence of the logits."""
    if reference.logits is None or other.logits is None:
        return None, None
    p, q = _log_softmax(_rows(reference, "logits")), _log_softmax(_rows(other, "logits"))
    if p.shape != q.shape:
        return None, None
    top1 = float((p.argmax(axis=1) == q.argmax(axis=1)).mean())
    return top1, max(0.0, float((np.exp(p) * (p - q)).sum(axis=1).mean()))


def _log_softmax(logits: AnyArray) -> FloatArray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _agreement(reference: IntArray, other: IntArray) -> float:
    """Mean share of tokens before the first that differs: what follows a difference follows another text."""
    if len(reference) != len(other):
        raise EngineError(
            m(
                "The plan must generate as many texts as the baseline, {wanted} (got {given}).",
                wanted=len(reference),
                given=len(other),
            )
        )
    length = max(reference.shape[1], other.shape[1])
    shared = min(reference.shape[1], other.shape[1])
    if not length:
        return 1.0
    equal = reference[:, :shared] == other[:, :shared]
    prefix = np.cumprod(equal, axis=1).sum(axis=1)
    return float((prefix / length).mean())
