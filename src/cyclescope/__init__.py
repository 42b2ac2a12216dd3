"""The inference timing of Transformers: measured, explained, accounted for. Names are loaded when first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cyclescope.core.version import __version__

if TYPE_CHECKING:
    from cyclescope.calibrating.calibrate import calibrate
    from cyclescope.core.cycle import Cycle
    from cyclescope.core.graph.graph import Graph
    from cyclescope.core.machine import Machine
    from cyclescope.core.plan import Plan
    from cyclescope.core.workload import Workload
    from cyclescope.explaining.comparison import compare
    from cyclescope.explaining.explain import explain
    from cyclescope.importing.import_trace import import_trace
    from cyclescope.measuring.dialogue import measure_dialogue
    from cyclescope.measuring.measure import measure, watch
    from cyclescope.measuring.pair import measure_pair
    from cyclescope.optimizing.optimize import optimize
    from cyclescope.optimizing.recipes.apply import apply
    from cyclescope.optimizing.recipes.verify import verify
    from cyclescope.predicting.predict import predict
    from cyclescope.store.run_file import load, save
    from cyclescope.tracing.trace import trace

_HOMES = {
    "Cycle": "cyclescope.core.cycle",
    "Graph": "cyclescope.core.graph.graph",
    "Machine": "cyclescope.core.machine",
    "Plan": "cyclescope.core.plan",
    "Workload": "cyclescope.core.workload",
    "apply": "cyclescope.optimizing.recipes.apply",
    "compare": "cyclescope.explaining.comparison",
    "calibrate": "cyclescope.calibrating.calibrate",
    "explain": "cyclescope.explaining.explain",
    "import_trace": "cyclescope.importing.import_trace",
    "measure": "cyclescope.measuring.measure",
    "measure_dialogue": "cyclescope.measuring.dialogue",
    "measure_pair": "cyclescope.measuring.pair",
    "optimize": "cyclescope.optimizing.optimize",
    "predict": "cyclescope.predicting.predict",
    "trace": "cyclescope.tracing.trace",
    "verify": "cyclescope.optimizing.recipes.verify",
    "watch": "cyclescope.measuring.measure",
    "load": "cyclescope.store.run_file",
    "save": "cyclescope.store.run_file",
}

__all__ = [
    "Cycle",
    "Graph",
    "Machine",
    "Plan",
    "Workload",
    "__version__",
    "apply",
    "calibrate",
    "compare",
    "explain",
    "import_trace",
    "load",
    "measure",
    "measure_dialogue",
    "measure_pair",
    "optimize",
    "predict",
    "save",
    "trace",
    "verify",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])


if "IPython" in sys.modules:  # a notebook or a shell that shows pages
    from cyclescope.notebook import show_pages

    show_pages()
