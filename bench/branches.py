"""Two independent branches of a real model: what the analysis promises from running them side by side, and what comes.

    python bench/branches.py [--rounds N]

Two BERT encoders read one input each (two towers, as of a bi-encoder), with one thread inside an operation. The cycle,
one tower after the other, is measured; the analysis of it says what two workers would reach. Then the towers run on two
Python threads (PyTorch lets go of the interpreter inside operations), in turn with the cycle as it was. Printed: predicted
and reached speed-up with their 95 % intervals, and how much of the time both threads were busy.

The prediction takes every operation for as quick as it was alone; what two cores share (caches, memory) is not in it.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import Any

import numpy as np
import torch
from transformers import BertConfig, BertModel, BertPreTrainedModel

from cyclescope.core.cycle import Cycle
from cyclescope.core.statistics import Ratio, median_ranks, median_ratio
from cyclescope.explaining.arrangement import arrange
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.places import places
from cyclescope.measuring.measure import measure
from occupancy import Occupancy, occupancy

WARM_UP = 3


class Towers(BertPreTrainedModel):
    """Two encoders that know nothing of each other."""

    config_class = BertConfig

    def __init__(self, config: BertConfig) -> None:
        super().__init__(config)
        self.left = BertModel(config)
        self.right = BertModel(config)
        self.post_init()

    def forward(self, input_ids: torch.Tensor, other_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        left = self.left(input_ids).last_hidden_state
        return left, self.right(other_ids).last_hidden_state


def towers(hidden: int = 512, layers: int = 2, tokens: int = 256) -> tuple[Towers, dict[str, torch.Tensor]]:
    """Two towers with random weights, and an input of so many tokens for each."""
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        vocab_size=1000,
    )
    ids = torch.randint(5, 1000, (2, 1, tokens))
    return Towers(config).eval(), {"input_ids": ids[0], "other_ids": ids[1]}


@dataclass(frozen=True)
class Reached:
    """What two threads came to: how many times as fast as one after the other, and how busy the threads were."""

    speed_up: Ratio
    lanes: Occupancy


def predicted(cycle: Cycle) -> Ratio:
    """How many times as fast two workers could make `cycle`, Python left serial: the median over its instrumented runs."""
    booked, where = attribute(cycle), places(cycle.graph)
    values = []
    for run in range(len(booked.runs_ns)):
        first = np.zeros(1, dtype=np.int64)
        alone = replace(booked, runs_ns=booked.runs_ns[run : run + 1], typical=first)
        told = arrange(cycle, alone, where)
        assert told is not None
        two = next(schedule for schedule in told.schedules if schedule.workers == 2)
        values.append(told.reachable(two.makespan_ns))
    values.sort()
    low, high = median_ranks(len(values))
    return Ratio(float(np.median(values)), values[low], values[high], len(values))


def side_by_side(branches: Sequence[Callable[[], Any]], rounds: int) -> Reached:
    """Run `branches` one after the other and each on a thread of its own, in turn."""
    rows: list[tuple[int, int, int]] = []
    serial: list[int] = []
    parallel: list[int] = []
    with torch.inference_mode(), _threads(branches, rows) as together:
        for turn in range(WARM_UP + rounds):
            for at_once in (True, False) if turn % 2 else (False, True):
                rows_before = len(rows)
                begin = perf_counter_ns()
                if at_once:
                    together()
                else:
                    for branch in branches:
                        branch()
                wall = perf_counter_ns() - begin
                if turn >= WARM_UP:
                    (parallel if at_once else serial).append(wall)
                elif at_once:
                    del rows[rows_before:]
    table = np.asarray(rows, dtype=np.int64)
    return Reached(median_ratio(np.asarray(serial), np.asarray(parallel)), occupancy(*table.T))


@contextmanager
def _threads(branches: Sequence[Callable[[], Any]], rows: list[tuple[int, int, int]]) -> Iterator[Callable[[], None]]:
    """A thread for each branch, that waits; and what makes all of them run once. Each run adds begin, end, thread."""
    gate = threading.Barrier(len(branches) + 1)
    over = False

    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def work(number: int, branch: Callable[[], Any]) -> None:
        if number < len(cores):
            # A scheduler that wakes both threads on one core would be measured otherwise.
            os.sched_setaffinity(0, {cores[number]})  # of this thread alone
        torch.set_num_threads(1)
        with torch.inference_mode():
            while True:
                gate.wait()
                if over:
                    return
                begin = perf_counter_ns()
                branch()
                rows.append((begin, perf_counter_ns(), number))
                gate.wait()

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(branches)]
    for thread in threads:
        thread.start()

    def together() -> None:
        gate.wait()
        gate.wait()

    try:
        yield together
    finally:
        over = True
        gate.wait()
        for thread in threads:
            thread.join()


def both_towers(model: Towers, inputs: dict[str, torch.Tensor], rounds: int) -> Reached:
    """`side_by_side` of the two towers, one thread inside an operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return side_by_side([lambda: model.left(inputs["input_ids"]), lambda: model.right(inputs["other_ids"])], rounds)
    finally:
        torch.set_num_threads(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    print("hidden layers tokens   predicted              reached                reached ÷ predicted   both busy")
    for hidden, layers, tokens in ((64, 2, 32), (256, 2, 128), (512, 2, 256), (768, 2, 256)):
        model, inputs = towers(hidden, layers, tokens)
        promise = predicted(measure(model, inputs=inputs, budget=3, threads=1))
        came = both_towers(model, inputs, rounds)
        print(
            f"{hidden:6} {layers:6} {tokens:6}   {_text(promise)}   {_text(came.speed_up)}"
            f"   {came.speed_up.value / promise.value:19.3f}   {_both(came.lanes):9.3f}"
        )


def _text(ratio: Ratio) -> str:
    return f"{ratio.value:5.3f} [{ratio.low:5.3f}, {ratio.high:5.3f}]"


def _both(lanes: Occupancy) -> float:
    """Share of the busy time in which both threads were busy."""
    return float(lanes.overlap_ns[2]) / lanes.union_ns


if __name__ == "__main__":
    main()
