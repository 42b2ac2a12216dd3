"""Record small cycles on this machine's CUDA device, to be kept as test data.

    python bench/record_cuda.py [--device cuda:0] [--budget 3] [--into FOLDER]

Needs a CUDA device. Measures an encoder in float32 and a generation in float16, each as it is by default, and writes one file
each, named by model, device and date: `FOLDER/MODEL-DEVICE-YYYY-MM-DD.cycle`. No text is kept in them. The tests in
`tests/paper/explaining/test_recorded_cuda.py` read whatever lies there.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure
from cyclescope.report.naming.device import pace
from cyclescope.store.run_file import SUFFIX, save

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "cuda"


@dataclass(frozen=True, slots=True)
class Case:
    """What is recorded: random weights, since times do not depend on them."""

    model: str
    dtype: str
    tokens: int
    new_tokens: int | None = None


CASES = (Case("bert-base-chinese", "float32", 16), Case("gpt2", "float16", 16, 4))


def file_name(cycle: Cycle) -> str:
    """Model, device and date of `cycle`, in letters, digits and hyphens."""
    parts = (cycle.workload.model.reference, cycle.machine.processor, cycle.taken_at[:10])
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts) + SUFFIX


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="cuda")
    parser.add_argument(
        "--budget", type=float, default=3.0, help="seconds for each cycle; more runs make a larger file"
    )
    parser.add_argument("--into", type=Path, default=FOLDER)
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        try:
            cycle = measure(
                case.model,
                tokens=case.tokens,
                new_tokens=case.new_tokens,
                dtype=case.dtype,
                weights="random",
                device=chosen.device,
                budget=chosen.budget,
            )
        except CyclescopeError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        path = chosen.into / file_name(cycle)
        save(cycle, path)
        device = explain(cycle).device
        print(f"{path.name}  {path.stat().st_size:,} bytes")
        print(pace(device) if device is not None else "no marks of the device")
    return 0


if __name__ == "__main__":
    sys.exit(main())
