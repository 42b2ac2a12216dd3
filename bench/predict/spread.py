"""A table of what plans over several devices would bring: TP × PP × DP × batch, with the memory of each rank.

    python bench/predict/spread.py [MODEL] [--on MACHINE] [--devices 8] [--tokens 1024] [--new-tokens 128] [--batch 1,8,64]

For every way to divide the devices (or those of --only, such as 8x1x1) the prefill and the decode step in the middle are
predicted, each by itself; the time of a generation is the prefill and as many of these steps, since steps grow evenly.
Memory is that of the last step, with the activations of the prefill. The bubble is that of the prefill.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.spread import Spread
from cyclescope.predicting.predict import predict

_NS_PER_MS = 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="llama-3.1-70b")
    parser.add_argument("--on", default="H100 SXM")
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--batch", default="1,8,64")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--only", action="append", metavar="TPxPPxDP", help="only these divisions")
    asked = parser.parse_args()
    print(
        "| TP × PP × DP | batch | prefill | a token | tokens/s | communication | bubble | weights | cache | activations | fits |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    divisions = [tuple(map(int, each.split("x"))) for each in asked.only or ()] or list(_divisions(asked.devices))
    for tensor, pipeline, data in divisions:
        for batch in map(int, asked.batch.split(",")):
            if batch % data:
                continue
            try:
                print(_row(asked, tensor, pipeline, data, batch), flush=True)
            except CyclescopeError as error:
                print(f"| {tensor} × {pipeline} × {data} | {batch} | {str(error).splitlines()[0]} |", flush=True)
    return 0


def _divisions(devices: int) -> Iterator[tuple[int, int, int]]:
    """All ways to write `devices` as a product of three."""
    for tensor in range(devices, 0, -1):
        for pipeline in range(1, devices + 1):
            if devices % (tensor * pipeline) == 0:
                yield tensor, pipeline, devices // (tensor * pipeline)


def _row(asked: argparse.Namespace, tensor: int, pipeline: int, data: int, batch: int) -> str:
    def cycle(**size: int) -> Cycle:
        return predict(
            asked.model, on=asked.on, dtype=asked.dtype, batch=batch, tensor=tensor, pipeline=pipeline, data=data,
            model_kind="analytic", **size,  # type: ignore[arg-type]
        )  # fmt: skip

    prefill = cycle(tokens=asked.tokens, new_tokens=1)
    step = cycle(cache_length=asked.tokens + asked.new_tokens // 2)
    last = cycle(cache_length=asked.tokens + asked.new_tokens)
    first, each = _ms(prefill), _ms_in_a_row(step)
    whole_s = (first + (asked.new_tokens - 1) * each) / 1e3
    found, start = _spread(step), _spread(prefill)
    stage = _spread(last).most_needed
    # Activations are those of the prefill, the cache that of the last step.
    activations = max(s.activation_bytes for s in (*start.stages, *found.stages))
    held = stage.weights_bytes + stage.cache_bytes + activations
    memory = step.machine.memory_bytes
    cells = (
        f"{tensor} × {pipeline} × {data}", str(batch), f"{first:.0f} ms", f"{each:.2f} ms", f"{batch * asked.new_tokens / whole_s:,.0f}",
        f"{found.communication:.0%}", f"{start.bubble:.0%}",
        *(f"{part / 1e9:.1f} GB" for part in (stage.weights_bytes, stage.cache_bytes, activations)),
        "yes" if held <= memory else f"no, {held / 1e9:.0f} of {memory / 1e9:.0f} GB",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _ms(cycle: Cycle) -> float:
    wall = sorted(cycle.samples.uninstrumented.wall_ns.tolist())
    return float(wall[len(wall) // 2]) / _NS_PER_MS


def _ms_in_a_row(step: Cycle) -> float:
    """What a step takes among others: with as many microbatches as stages a pipeline stays filled from step to step, and the
    busiest stage decides; by itself a step fills and empties it.
    """
    if step.plan.microbatches < step.plan.pipeline or step.plan.pipeline == 1:
        return _ms(step)
    return max(stage.work_ns + stage.collective_ns for stage in _spread(step).stages) / _NS_PER_MS


def _spread(cycle: Cycle) -> Spread:
    """The account of the ranks; of a plan of one rank what the cycle itself holds."""
    made = cycle.samples.prediction
    assert made is not None
    if made.spread is None:
        raise SystemExit("one device is no spread plan: give --devices 2 or more")
    return made.spread


if __name__ == "__main__":
    sys.exit(main())
