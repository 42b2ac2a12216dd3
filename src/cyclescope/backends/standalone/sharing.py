"""Texts shared by several processes with a model each, on cores of their own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from typing import Any

_mine: list[Any] = []  # what this process has built


class Processes:
    """`instances` processes, each with what `build(*arguments)` makes; called with texts, each answers for its share.

    Keep it as long as texts come: the processes and their models stay.
    """

    def __init__(self, instances: int, build: Callable[..., tuple[Any, Any]], *arguments: Any) -> None:
        # Spawned, not forked: a fork of a process that has computed hangs in the first product.
        fresh = multiprocessing.get_context("spawn")
        self._pools = [
            ProcessPoolExecutor(1, mp_context=fresh, initializer=_begin, initargs=(cores, build, arguments))
            for cores in cores_of(instances)
        ]

    def __call__(self, run: Callable[..., list[Any]], texts: Sequence[str], **options: Any) -> list[Any]:
        """`run(tokenizer, model, share, **options)` of every share, joined in the order of `texts`."""
        bounds = [round(k * len(texts) / len(self._pools)) for k in range(len(self._pools) + 1)]
        shares = [list(texts[a:b]) for a, b in pairwise(bounds)]
        parts = [
            pool.submit(_answer, run, share, options) for pool, share in zip(self._pools, shares, strict=True) if share
        ]
        return [result for part in parts for result in part.result()]

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown()


def cores_of(instances: int) -> list[list[int]]:
    """The cores that this process may use, in `instances` groups; empty groups where the system pins nothing."""
    if not hasattr(os, "sched_getaffinity"):
        return [[]] * instances
    cores = sorted(os.sched_getaffinity(0))
    bounds = [round(k * len(cores) / instances) for k in range(instances + 1)]
    return [cores[a:b] or cores for a, b in pairwise(bounds)]


def _begin(cores: Sequence[int], build: Callable[..., tuple[Any, Any]], arguments: Sequence[Any]) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    _mine.extend(build(*arguments))


def _answer(run: Callable[..., list[Any]], texts: Sequence[str], options: dict[str, Any]) -> list[Any]:
    return run(*_mine, texts, **options)
