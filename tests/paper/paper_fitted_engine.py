"""What was learned of an engine that fuses, on paper: errors that are known, by a law that is trivial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from paper_calibration import CEILINGS
from paper_kernels import random_network

from cyclescope.predicting.fused.cycle_law import CycleLaw, Sum
from cyclescope.predicting.fused.fitted import EngineCycle, FittedEngine, Refused, StoredEngine
from cyclescope.predicting.fused.kernels import PARTS
from cyclescope.predicting.fused.models import NETWORK, FusedAnalytic, FusedLearned, FusedNetwork, Seen
from cyclescope.predicting.fused.segments import COLUMNS
from cyclescope.predicting.learned import HYBRID
from cyclescope.predicting.regression.domain import Domain
from cyclescope.predicting.regression.linear import Linear
from cyclescope.predicting.regression.regression import Regression

_WIDTH = len(COLUMNS)
LAW = CycleLaw(
    Sum(np.ones(len(PARTS) + 1)),
    Regression(
        COLUMNS, Linear(0.0, np.zeros(_WIDTH)), Domain(-np.ones(_WIDTH), np.ones(_WIDTH), np.ones(_WIDTH)), 0.1, 9
    ),
)
ROOFLINE = FusedAnalytic(900.0, 5_000.0)
SEEN = Seen((2,), ("float32",))
_OFF = {"roofline": 0.6, "analytic": 0.3, "learned": 0.08, NETWORK: 0.12, HYBRID: 0.06}


def fitted() -> FittedEngine:
    """Nine workloads of three models of three families, with a graph network that is beaten."""
    cycles = tuple(
        EngineCycle(
            f"{number:02}-{family}-1x{tokens}", family, 1e6 * tokens, 40, tuple(off * sign for off in _OFF.values())
        )
        for number, family in enumerate(("bert", "gpt2", "llama"))
        for tokens, sign in ((16, -1.0), (64, 0.0), (256, 1.0))
    )
    network = random_network(0)
    return FittedEngine(
        fingerprint="engine=onnxruntime",
        engine="onnxruntime",
        taken_at="2026-01-02T03:04:05Z",
        version="0.0.0",
        design=1,
        ceilings=CEILINGS,
        analytic=ROOFLINE,
        learned=FusedLearned(LAW, SEEN),
        network=FusedNetwork(NETWORK, network, ROOFLINE, LAW, SEEN),
        hybrid=FusedNetwork(HYBRID, network, ROOFLINE, LAW, SEEN),
        kinds=tuple(_OFF),
        cycles=cycles,
        planned=4,
        refused=(Refused("03-mixtral", "It cannot be exported."),),
        repeat_error=0.02,
    )


def stored() -> StoredEngine:
    return StoredEngine(None, fitted())


def without_network() -> StoredEngine:
    """The same without the library that trains networks, interrupted, and recalibrated since."""
    whole = fitted()
    cycles = tuple(replace(cycle, errors=cycle.errors[:3]) for cycle in whole.cycles[:6])
    bare = replace(whole, network=None, hybrid=None, kinds=whole.kinds[:3], cycles=cycles, other_busy=0.4)
    return StoredEngine(None, bare, recalibrated=True)
