"""The scripts of the HTML page write every number as `report/format.py` does: both get the same numbers here."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclescope.report import format as fmt

SCRIPT = Path(__file__).parents[2] / "js" / "format_lines.js"
# The formats that both have, by their names in format.js.
FORMATS: dict[str, Callable[[float], str]] = {
    "time": fmt.time,
    "data": fmt.data,
    "bandwidth": fmt.bandwidth,
    "flops": fmt.flops,
    "flopRate": fmt.flop_rate,
    "significant": fmt.significant,
    "share": fmt.share,
}


def numbers() -> list[float]:
    """Sizes from the least to the greatest, neighbours of powers of ten, and numbers that lie between two texts."""
    chance = random.Random(12)
    spread = [chance.uniform(1, 10) * 10.0 ** chance.randint(-12, 24) for _ in range(1500)]
    extreme = [chance.uniform(1, 10) * 10.0 ** chance.randint(-307, 307) for _ in range(100)]
    short = [round(chance.uniform(0, 2000), chance.randint(0, 4)) for _ in range(600)]
    shares = [round(chance.uniform(0, 1), chance.randint(0, 7)) for _ in range(600)]
    # Exactly between two texts of three digits, which only sums of powers of two can be; Python rounds these to even.
    ties = [k + eighth / 8 for k in range(-12, 13) for eighth in range(8)] + [k / 64 for k in range(100)]
    ties += [(k + 0.5) * 10.0**power for k in (100, 101, 112, 113, 998, 999) for power in range(20)]
    ties += [(k + 0.5) / 100 for k in range(100)] + [(k + 0.5) / 10_000 for k in range(100)]
    powers = [10.0**power for power in range(-9, 25)]
    near = [edge * power for power in powers for edge in (0.9949, 0.995, 0.9994, 0.9995, 0.9996, 1, 1.005)]
    near += [turned for power in near for turned in (math.nextafter(power, 0), math.nextafter(power, math.inf))]
    whole = [float(chance.randrange(10 ** chance.randint(1, 15))) for _ in range(600)]
    found = spread + extreme + short + shares + ties + powers + near + whole
    return [0.0, -0.0, math.nan, math.inf, -math.inf, *found, *(-value for value in found)]


def test_the_scripts_write_every_number_as_python_does() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node.js must be on the path, and is not; `make test` installs it or says how")
    pairs = [(name, value) for name in FORMATS for value in numbers()]
    as_text = json.dumps(
        [(name, repr(value).replace("inf", "Infinity").replace("nan", "NaN")) for name, value in pairs]
    )
    done = subprocess.run([node, str(SCRIPT)], input=as_text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    differing = [
        f"{name}({value!r}): {ours} in Python, {theirs} in the scripts"
        for (name, value), theirs in zip(pairs, json.loads(done.stdout), strict=True)
        if theirs != (ours := FORMATS[name](value))
    ]

    assert len(pairs) > 50_000
    assert differing[:20] == []
