"""B ÷ A of the wall times of two cycles with a 99 % interval: interleaved, or measured apart. Deterministic.

Interleaved (A B B A …), each round is a ratio of its own: what drifts slowly hits both sides of a round alike and
cancels. Measured apart, nothing cancels: to what the samples show comes what differs from run to run.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from cyclescope.core.samples import UninstrumentedSamples
from cyclescope.core.statistics import Ratio
from cyclescope.core.student import student_t
from cyclescope.core.units import FloatArray, IntArray

VERDICT_CONFIDENCE = 0.99
LEAST_ROUNDS_FOR_VERDICT = 6  # fewer say too little about how they spread
# How far apart two runs of the same thing may lie only because they were two: the half width of a 99 % interval.
# Measured by `bench/ab.py apart`, with what it is made of in docs/compare.md.
BETWEEN_RUNS = 0.25
_DRAWS = 4000
_SEED = 20_170_612  # fixed, so that a comparison never changes by being read again
_LEAST_SWITCHES = 2  # one round; of two that were measured apart one gives way to the other once at most


def rounds(a: UninstrumentedSamples, b: UninstrumentedSamples) -> FloatArray:
    """Logarithm of B ÷ A in every round [rounds] of two interleaved cycles; empty if they were not interleaved.

    Read from the facts alone, when each run began and how long it took: interleaved means that no run of one overlaps with
    a run of the other, and that they alternate. Where A gives way to B or B to A, the block before and the block after
    are neighbours in time, and the ratio of their medians is free of what changes slowly. Two such ratios, one of each
    order, make a round; their mean is free of a steady drift as well.
    """
    nothing = np.zeros(0)
    if not len(a) or not len(b):
        return nothing
    begin = np.concatenate([a.started_ns, b.started_ns])
    wall = np.concatenate([a.wall_ns, b.wall_ns])
    is_b = np.repeat([0, 1], [len(a), len(b)])
    order = np.argsort(begin, kind="stable")
    begin, wall, is_b = begin[order], wall[order], is_b[order]
    edges: IntArray = np.flatnonzero(np.diff(is_b)) + 1
    if len(edges) < _LEAST_SWITCHES or bool(np.any(begin[1:] < begin[:-1] + wall[:-1])):
        return nothing
    logs = np.log(np.maximum(wall, 1).astype(np.float64))
    bounds = [0, *edges.tolist(), len(wall)]
    switches = []
    for k in range(1, len(bounds) - 1):
        left, edge, right = bounds[k - 1], bounds[k], bounds[k + 1]
        # Two blocks of one side stand next to each other in the middle of A B B A; each belongs to its own neighbour.
        first = left if k == 1 else left + (edge - left) // 2
        last = right if k == len(bounds) - 2 else edge + math.ceil((right - edge) / 2)
        change = float(np.median(logs[edge:last]) - np.median(logs[first:edge]))
        switches.append(change if is_b[edge] else -change)
    whole = len(switches) // 2 * 2
    pairs: FloatArray = np.asarray(switches[:whole]).reshape(-1, 2).mean(axis=1)
    return pairs


def interleaved_ratio(logs: FloatArray) -> Ratio:
    """B ÷ A from the rounds `logs` [n]: the mean of their middle half, with a bootstrap interval over rounds (Efron, 1979).

    The middle half keeps out rounds that something else disturbed. A bootstrap of few values is too narrow; it is
    stretched as Student's t is to the normal distribution (Hesterberg, 2015, "What Teachers Should Know About the
    Bootstrap", section 4.3). One round has no interval.
    """
    n = len(logs)
    centre = float(_middle_mean(np.asarray(logs)[None])[0])
    if n < 2:
        return Ratio(math.exp(centre), 0.0, math.inf, n)
    rng = np.random.default_rng(_SEED)
    draws = _middle_mean(np.asarray(logs)[rng.integers(0, n, (_DRAWS, n))])
    normal = NormalDist().inv_cdf((1 + VERDICT_CONFIDENCE) / 2)
    stretch = math.sqrt(n / (n - 1)) * student_t((1 + VERDICT_CONFIDENCE) / 2, n - 1) / normal
    low, high = (stretch * end for end in _deviations(draws, centre))
    return Ratio(math.exp(centre), math.exp(centre + low), math.exp(centre + high), n)


def ratio_apart(a_ns: IntArray, b_ns: IntArray, between_runs: float = BETWEEN_RUNS) -> Ratio:
    """B ÷ A of the medians of two runs, `a_ns` [n] and `b_ns` [m] in the order in which they were taken.

    The interval is a bootstrap of blocks of neighbouring samples, since neighbours resemble each other (Politis and
    Romano, 1992), joined as independent errors are, by the root of the sum of squares, with what differs between runs.
    """
    centre = math.log(float(np.median(b_ns)) / float(np.median(a_ns)))
    rng = np.random.default_rng(_SEED)
    draws = np.log(_block_medians(b_ns, rng) / _block_medians(a_ns, rng))
    between = math.log1p(between_runs)
    low, high = (math.hypot(end, between) for end in _deviations(draws, centre))
    return Ratio(math.exp(centre), math.exp(centre - low), math.exp(centre + high), min(len(a_ns), len(b_ns)))


def _middle_mean(rows: FloatArray) -> FloatArray:
    """Mean of the middle half of every row [rows, n]."""
    cut = rows.shape[1] // 4
    means: FloatArray = np.sort(rows, axis=1)[:, cut : rows.shape[1] - cut].mean(axis=1)
    return means


def _deviations(draws: FloatArray, centre: float) -> tuple[float, float]:
    """How far the interval of `draws` reaches below and above `centre`: at most 0, at least 0."""
    tail = (1 - VERDICT_CONFIDENCE) / 2 * 100
    low, high = np.percentile(draws, [tail, 100 - tail]) - centre
    return min(float(low), 0.0), max(float(high), 0.0)


def _block_medians(samples: IntArray, rng: np.random.Generator) -> FloatArray:
    """Medians of circular block resamples of `samples` [n], in blocks of √n."""
    n = len(samples)
    length = max(1, math.isqrt(n))
    begins = rng.integers(0, n, (_DRAWS // 2, math.ceil(n / length)))
    index = (begins[:, :, None] + np.arange(length)) % n
    drawn = np.asarray(samples, dtype=np.float64)[index.reshape(len(begins), -1)[:, :n]]
    medians: FloatArray = np.median(drawn, axis=1)
    return medians
