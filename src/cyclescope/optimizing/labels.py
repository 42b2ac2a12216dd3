"""The task's own number on the user's labelled texts: how many come out right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cyclescope.core.errors import UsageError
from cyclescope.core.results import Results
from cyclescope.core.units import FloatArray
from cyclescope.optimizing.optimization import LabelScore


def scorer(labels: tuple[str, ...]) -> Callable[[Results], LabelScore]:
    """What counts the texts that come out as `labels` say, from what a cycle gives.

    Of a classifier: whose likeliest class is the label. Of a model that gives vectors: whose nearest neighbour among the
    other texts, by the cosine of the mean over tokens, has the same label (leave one out). Raises `UsageError` where
    the labels do not fit.
    """

    def score(results: Results) -> LabelScore:
        if results.classes and results.logits is not None and results.logits.ndim == 2:
            return _classified(results, labels)
        if results.hidden is not None:
            return _nearest(results, labels)
        raise UsageError(
            "Labels do not fit what this model gives.",
            "They are for classes and for vectors of texts.",
            "Leave the labels out, or use --task classify or embed.",
        )

    return score


def _classified(results: Results, labels: tuple[str, ...]) -> LabelScore:
    unknown = sorted(set(labels) - set(results.classes))
    if unknown:
        raise UsageError(
            f"The model has no class {unknown[0]!r}.",
            f"Its classes are {', '.join(results.classes[:12])}.",
            "Give labels as the model names them.",
        )
    assert results.logits is not None
    chosen = [results.classes[k] for k in results.logits.argmax(axis=1).tolist()]
    return LabelScore(sum(a == b for a, b in zip(chosen, labels, strict=True)), len(labels))


def _nearest(results: Results, labels: tuple[str, ...]) -> LabelScore:
    if len(set(labels)) < 2 or len(labels) < 4:
        raise UsageError(
            "The labels tell nothing about vectors.",
            "Neighbours can be right or wrong only among several texts of several labels.",
            "Give at least four texts with at least two labels.",
        )
    vectors = mean_vectors(results)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1).tolist()
    return LabelScore(sum(labels[i] == labels[k] for i, k in enumerate(nearest)), len(labels))


def mean_vectors(results: Results) -> FloatArray:
    """Mean of the last hidden state over the tokens of each text [texts, width]."""
    assert results.hidden is not None
    mask = np.asarray(results.mask, dtype=np.float64)[:, :, None]
    hidden = np.asarray(results.hidden, dtype=np.float64)
    vectors: FloatArray = (hidden * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1.0)
    return vectors
