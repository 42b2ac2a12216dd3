"""The task's own number on the user's labelled texts: how many come out right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from cyclescope.core.errors import UsageError
from cyclescope.core.message import listed, m
from cyclescope.core.results import Results
from cyclescope.core.units import FloatArray
from cyclescope.optimizing.optimization import LabelScore


class Scorer(Protocol):
    """Counts what comes out right, among all texts or among some by their numbers."""

    def __call__(self, results: Results, texts: Sequence[int] | None = None) -> LabelScore: ...


def scorer(labels: tuple[str, ...]) -> Scorer:
    """What counts the texts that come out as `labels` say, from what a cycle gives: all of them, or those that are named.

    Of a classifier: whose likeliest class is the label. Of a model that gives vectors: whose nearest neighbour among the
    other texts, by the cosine of the mean over tokens, has the same label (leave one out). Raises `UsageError` where
    the labels do not fit.
    """

    def score(results: Results, texts: Sequence[int] | None = None) -> LabelScore:
        if results.classes and results.logits is not None and results.logits.ndim == 2:
            return _counted(_classified(results, labels), texts)
        if results.hidden is not None:
            return _counted(_nearest(results, labels), texts)
        raise UsageError(
            m("Labels do not fit the outputs of this model."),
            m("They apply to classes and to text embeddings."),
            m("Leave the labels out, or use --task classify or embed."),
        )

    return score


def _counted(right: Sequence[bool], texts: Sequence[int] | None) -> LabelScore:
    chosen = right if texts is None else [right[k] for k in texts]
    return LabelScore(sum(chosen), len(chosen))


def _classified(results: Results, labels: tuple[str, ...]) -> list[bool]:
    unknown = sorted(set(labels) - set(results.classes))
    if unknown:
        raise UsageError(
            m(
                "A label must be a class of the model: {classes} (got {label}).",
                classes=listed(results.classes[:12]),
                label=repr(unknown[0]),
            ),
            "",
            m("Give labels as the model names them."),
        )
    assert results.logits is not None
    chosen = [results.classes[k] for k in results.logits.argmax(axis=1).tolist()]
    return [a == b for a, b in zip(chosen, labels, strict=True)]


def _nearest(results: Results, labels: tuple[str, ...]) -> list[bool]:
    if len(set(labels)) < 2 or len(labels) < 4:
        raise UsageError(
            m("Text embeddings need at least four texts with at least two labels."),
            m("A nearest neighbour is right or wrong only among several texts of several labels."),
            m("Give more labelled texts."),
        )
    vectors = mean_vectors(results)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1).tolist()
    return [labels[i] == labels[k] for i, k in enumerate(nearest)]


def mean_vectors(results: Results) -> FloatArray:
    """Mean of the last hidden state over the tokens of each text [texts, width]."""
    assert results.hidden is not None
    mask = np.asarray(results.mask, dtype=np.float64)[:, :, None]
    hidden = np.asarray(results.hidden, dtype=np.float64)
    vectors: FloatArray = (hidden * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1.0)
    return vectors
