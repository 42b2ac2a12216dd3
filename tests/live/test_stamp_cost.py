"""What a stamp costs, as the calibration on a proxy finds it: something, and less than a function mode does."""

from __future__ import annotations

from statistics import median

import pytest
from architectures import build, inputs_for
from quiet import on_a_quiet_try

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping.recorder import FUNCTION_MODE, WRAPPERS, Recorder

pytestmark = pytest.mark.live


@on_a_quiet_try
def test_a_stamp_pair_costs_something_and_less_than_a_function_mode() -> None:
    """The median of tries that take turns, since what else the machine does may lengthen the runs with stamps or those without."""
    model = build("BertConfig")
    session = open_session(Request(model=model, inputs=inputs_for(model), threads=1))
    assert isinstance(session, TorchSession)
    graph = session.trace()
    assert session._traced is not None
    costs: dict[str, list[float]] = {WRAPPERS: [], FUNCTION_MODE: []}
    for how in (WRAPPERS, FUNCTION_MODE) * 5:
        session._recorder = Recorder(how, session._traced.keys, model)
        found = session.calibrate(graph, 60_000_000)
        costs[how].append(found.inside_ns + found.outside_ns)
    assert 0 < median(costs[WRAPPERS]) < median(costs[FUNCTION_MODE])
