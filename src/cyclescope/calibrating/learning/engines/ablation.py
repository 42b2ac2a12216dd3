"""All timing models of an engine fitted on everything, and each once more without every family: what each is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.calibrating.learning.engines.fitting import Bases, Rows, fit_law, fit_roofline, lengths_of
from cyclescope.calibrating.learning.engines.observing import SeenCycle
from cyclescope.core.prediction import ANALYTIC
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import FloatArray
from cyclescope.predicting.fused.fitted import ROOFLINE
from cyclescope.predicting.fused.models import NETWORK, FusedAnalytic, FusedLearned, FusedNetwork, Seen
from cyclescope.predicting.gnn.training import TrainingSettings, is_there
from cyclescope.predicting.learned import HYBRID, LEARNED

_WHOLE = TrainingSettings(seeds=3)
_WITHOUT = TrainingSettings(seeds=1)  # of each family that is kept out: enough to tell models apart


@dataclass(frozen=True, eq=False)
class Ablation:
    """The fitted models without errors, and ln(true ÷ predicted) of every cycle [cycles] by each kind that has not seen its
    family. `network` and `hybrid` are None without the library that trains them.
    """

    analytic: FusedAnalytic
    learned: FusedLearned
    network: FusedNetwork | None
    hybrid: FusedNetwork | None
    errors: Mapping[str, FloatArray]


def ablated(seen: Sequence[SeenCycle], known: Seen, progress: Notify = silent) -> Ablation:
    """Every timing model fitted on `seen`, and what it says of families that it has not seen."""
    families = tuple(dict.fromkeys(one.family for one in seen))
    progress("fit", 0.0)
    rows = Rows.of(seen)
    whole = Bases(fit_roofline(rows), fit_law(rows))
    networks = (NETWORK, HYBRID) if is_there() else ()
    trained = {name: whole.fit(name, seen, _WHOLE) for name in networks}
    said = {name: np.zeros(len(seen)) for name in (ROOFLINE, ANALYTIC, LEARNED, *networks)}
    for number, family in enumerate(families):
        progress("fit", (number + 1) / (len(families) + 1))
        _say_of(family, seen, whole, networks, said)
    true = np.asarray([one.wall_ns for one in seen])
    errors = {name: np.log(true / ns) for name, ns in said.items()}
    models = {name: FusedNetwork(name, network, whole.roofline, whole.law, known) for name, network in trained.items()}
    return Ablation(whole.roofline, FusedLearned(whole.law, known), models.get(NETWORK), models.get(HYBRID), errors)


def _say_of(
    family: str, seen: Sequence[SeenCycle], whole: Bases, networks: Sequence[str], said: Mapping[str, FloatArray]
) -> None:
    """Enter what each model says of `family` that is fitted on all others; lengths of processes are those of `whole`."""
    others = [one for one in seen if one.family != family]
    rows = Rows.of(others)
    bases = Bases(fit_roofline(rows), fit_law(rows, lengths_of(whole.law)))
    trained = {name: bases.fit(name, others, _WITHOUT) for name in networks}
    for i, one in enumerate(seen):
        if one.family != family:
            continue
        said[ROOFLINE][i] = one.roofline_ns
        said[ANALYTIC][i] = bases.by_roofline(one)
        said[LEARNED][i] = bases.by_law(one)
        for name, network in trained.items():
            said[name][i] = bases.by_network(name, network, one)
