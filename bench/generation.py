"""Our uninstrumented runs of a generation beside `model.generate` timed by hand, and what the stamped pass adds.

    python bench/generation.py [--rounds N] [--new-tokens N] [MODEL …]

One process, one model, the same prompt and settings; by hand, uninstrumented and instrumented take turns in every round. Printed: the
wall time of our uninstrumented runs ÷ by hand (it must be 1 within its interval), stamped ÷ plain, and the share of the uninstrumented wall
that is attributed. optimum-benchmark 0.6.0, which would be the peer, cannot run beside
transformers 5.23: its PyTorch backend imports `SpecialTokensMixin`, which is gone.
"""

from __future__ import annotations

import argparse
import os
from time import perf_counter_ns

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.core.statistics import Ratio, median_ratio

PROMPT = "Where does the time go between the text that comes in and the text that comes out?"


def interval(ratio: Ratio) -> str:
    return f"{ratio.value:5.3f} [{ratio.low:5.3f} – {ratio.high:5.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("models", nargs="*", default=["gpt2", "t5-small", "lfm2-350m"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--new-tokens", type=int, default=16)
    chosen = parser.parse_args()
    print(f"torch {torch.__version__}, one thread, {chosen.new_tokens} new tokens, rounds: {chosen.rounds}")
    print(f"{'':12} {'plain ÷ by hand':>22} {'stamped ÷ plain':>22} {'attributed ÷ plain':>22}")
    for name in chosen.models:
        session = open_session(Request(model=name, texts=(PROMPT,), new_tokens=chosen.new_tokens, threads=1))
        assert isinstance(session, TorchSession)
        session.uninstrumented(2)
        graph = session.trace()
        cost = session.calibrate(graph, 1_500_000_000)
        stamps = graph.slots.stamp_cost_ns(cost.inside_ns, cost.outside_ns).sum()
        steps = session._steps
        settings = {"max_new_tokens": chosen.new_tokens, "min_new_tokens": chosen.new_tokens, "do_sample": False}

        def by_hand(steps: object = steps, settings: dict[str, object] = settings) -> int:
            begin = perf_counter_ns()
            with torch.inference_mode():
                ids = steps.model.generate(**steps.inputs(), **settings)  # type: ignore[attr-defined]
                steps.read_out(ids)  # type: ignore[attr-defined]
            return perf_counter_ns() - begin

        hand: list[int] = []
        uninstrumented: list[int] = []
        instrumented: list[int] = []
        for _ in range(chosen.rounds):
            hand.append(by_hand())
            uninstrumented += [run.wall_ns for run in session.uninstrumented(1)]
            instrumented += [int(run.boundaries_ns[-1]) for run in session.instrumented(graph, 1)]
        walls, stamped = np.asarray(uninstrumented), np.asarray(instrumented)
        print(
            f"{name:12} {interval(median_ratio(walls, np.asarray(hand))):>22} "
            f"{interval(median_ratio(stamped, walls)):>22} {interval(median_ratio(stamped - stamps, walls)):>22}",
            flush=True,
        )
        session.close()


if __name__ == "__main__":
    main()
