"""What looking costs, and what is seen: our stamped pass beside the bare PyTorch profiler and no profiler at all.

    python bench/overhead.py [--rounds N] [--threads T]

BERT of four sizes, random weights, one process, the three in turn in every round. Printed for each: the wall time with
the instrument ÷ the wall time without (median of the rounds, 95 % interval), and which share of the *unprofiled* wall
the instrument accounts for. For us that is everything attributed after the cost of the stamps, as calibrated on a tiny
calibration proxy, is taken off; for the profiler the sum of its operators' self times.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from time import perf_counter_ns

import numpy as np
import torch
from transformers import BertConfig, BertModel

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.core.statistics import Ratio, median_ratio
from cyclescope.explaining.attribution import middle_half

SIZES = {  # name: hidden, layers, heads, feed-forward, vocabulary, tokens, cycles a block
    "tiny 2×48, 16 tokens": (48, 2, 4, 192, 1000, 16, 20),
    "small 6×384, 16 tokens": (384, 6, 12, 1536, 30522, 16, 10),
    "base 12×768, 16 tokens": (768, 12, 12, 3072, 21128, 16, 4),
    "base 12×768, 128 tokens": (768, 12, 12, 3072, 21128, 128, 2),
}
SETTLE = 2


def session_for(hidden: int, layers: int, heads: int, inner: int, vocabulary: int, tokens: int) -> TorchSession:
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        vocab_size=vocabulary,
    )
    ids = torch.randint(5, vocabulary, (1, tokens))
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    session = open_session(Request(model=BertModel(config).eval(), inputs=inputs))
    assert isinstance(session, TorchSession)
    return session


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The profiler's library writes lines of its own to standard error, from C."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def profiled(session: TorchSession, cycles: int) -> tuple[list[int], float]:
    """Walls of cycles under the bare profiler, and the mean of its operators' self times a cycle, in nanoseconds."""
    walls = []
    steps = session._steps
    with quiet():
        with (
            torch.inference_mode(),
            torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], acc_events=True) as profiler,
        ):
            for _ in range(SETTLE + cycles):
                begin = perf_counter_ns()
                steps.model(**steps.given)
                walls.append(perf_counter_ns() - begin)
        total_us = sum(average.self_cpu_time_total for average in profiler.key_averages())
    return walls[SETTLE:], total_us * 1000 / (SETTLE + cycles)


def interval(ratio: Ratio) -> str:
    return f"{ratio.value:5.3f} [{ratio.low:5.3f} – {ratio.high:5.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"torch {torch.__version__}, threads: {chosen.threads}, rounds: {chosen.rounds}; wall ÷ unprofiled wall")
    print(f"{'':24} {'stamped':>22} {'bare profiler':>22} {'we account for':>22} {'it accounts for':>22}")
    for name, (*shape, cycles) in SIZES.items():
        session = session_for(*shape)
        session.uninstrumented(5)
        graph = session.trace()
        session.uninstrumented(3 * cycles)
        cost = session.calibrate(graph, 1_500_000_000)
        stamps = graph.slots.stamp_cost_ns(cost.inside_ns, cost.outside_ns).sum()
        uninstrumented: list[int] = []
        instrumented: list[int] = []
        under: list[int] = []
        seen: list[float] = []
        for _ in range(chosen.rounds):
            session.uninstrumented(SETTLE)
            uninstrumented += [run.wall_ns for run in session.uninstrumented(cycles)]
            instrumented += [
                int(run.boundaries_ns[-1]) for run in session.instrumented(graph, SETTLE + cycles)[SETTLE:]
            ]
            walls, accounted = profiled(session, cycles)
            under += walls
            seen.append(accounted)
        walls_ns, instrumented_ns = np.asarray(uninstrumented), np.asarray(instrumented)
        ours = median_ratio(instrumented_ns - stamps, walls_ns)
        middle = float((instrumented_ns[middle_half(instrumented_ns)] - stamps).mean() / np.median(walls_ns))
        ours = Ratio(middle, min(ours.low, middle), max(ours.high, middle), ours.n)
        print(
            f"{name:24} {interval(median_ratio(instrumented_ns, walls_ns)):>22} {interval(median_ratio(np.asarray(under), walls_ns)):>22}"
            f" {interval(ours):>22} {interval(median_ratio(np.asarray(seen), walls_ns)):>22}",
            flush=True,
        )
        session.close()


if __name__ == "__main__":
    main()
