"""From fitted models of scikit-learn to arrays. It has no public form of the trees of histogram boosting: a test holds
what is frozen here against its own predictions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import cholesky, inv

from cyclescope.core.units import FloatArray
from cyclescope.predicting.regression.process import Process, matern52
from cyclescope.predicting.regression.trees import Trees


def freeze_trees(model: Any) -> Trees:
    """A fitted `HistGradientBoostingRegressor` as `Trees`."""
    fitted = [trees[0].nodes for trees in model._predictors]
    leaves = max((int(nodes["is_leaf"].sum()) for nodes in fitted), default=1)
    shape = (len(fitted), leaves - 1)
    feature = np.zeros(shape, dtype=np.int64)
    threshold = np.full(shape, np.inf)
    ruled_out = np.zeros(shape, dtype=np.uint64)
    leaf = np.zeros((len(fitted), leaves))
    for tree, nodes in enumerate(fitted):
        inner, values = _walk(nodes)
        leaf[tree, : len(values)] = values
        for j, (column, at, mask) in enumerate(inner):
            feature[tree, j], threshold[tree, j], ruled_out[tree, j] = column, at, mask
    return Trees(float(np.ravel(model._baseline_prediction)[0]), feature, threshold, ruled_out, leaf)


def _walk(nodes: Any) -> tuple[list[tuple[int, float, int]], list[float]]:
    """Inner nodes as (feature, threshold, mask of the leaves to their left) and the leaves from left to right."""
    inner: list[tuple[int, float, int]] = []
    values: list[float] = []

    def visit(index: int) -> None:
        node = nodes[index]
        if node["is_leaf"]:
            values.append(float(node["value"]))
            return
        before = len(values)
        visit(int(node["left"]))
        mask = (1 << len(values)) - (1 << before)
        inner.append((int(node["feature_idx"]), float(node["num_threshold"]), mask))
        visit(int(node["right"]))

    visit(0)
    return inner, values


def freeze_process(model: Any, x: FloatArray, scale: FloatArray) -> Process:
    """A fitted `GaussianProcessRegressor` of kernel constant · Matérn + white noise on `x` / `scale`."""
    product, white = model.kernel_.k1, model.kernel_.k2
    length = scale * np.asarray(product.k2.length_scale, dtype=np.float64)
    amplitude, noise = float(product.k1.constant_value), float(white.noise_level)
    points = x / length
    kernel = amplitude * matern52(points, points)
    kernel[np.diag_indices_from(kernel)] = amplitude + noise + float(model.alpha)
    return Process(length, points, np.ravel(model.alpha_).astype(np.float64), inv(cholesky(kernel)), amplitude, noise)
