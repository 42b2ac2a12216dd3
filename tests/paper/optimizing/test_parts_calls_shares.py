"""What a plan is made of, which texts go into one call, and which into one process."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.backends.calls import calls_of
from cyclescope.core.errors import Unsupported
from cyclescope.core.plan import ModelChange, Plan, departs
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.worker_group import cores_of, shares_of
from cyclescope.optimizing.search.ablation import ablations

BASE = Plan(threads=1)


def test_each_part_is_taken_out_by_itself() -> None:
    changes = (ModelChange("relu"), ModelChange("drop-layers", 1))
    plan = replace(BASE, threads=2, quantization="int8-dynamic", changes=changes, seed=7)
    parts = dict(ablations(plan, BASE))
    assert set(parts) == {"threads", "quantization", "relu", "drop-layers"}
    assert parts["threads"] == replace(plan, threads=1)
    assert parts["relu"].changes == (ModelChange("drop-layers", 1),)
    assert ablations(BASE, BASE) == ()


def test_taking_out_every_part_leads_back() -> None:
    plan = replace(BASE, threads=2, compiling="inductor", batch=4, batching="length")
    while parts := ablations(plan, BASE):
        plan = parts[0][1]
    assert plan == BASE


def test_a_plan_departs_by_what_measuring_cannot_do_alone() -> None:
    assert not departs(replace(BASE, threads=4, dtype="bfloat16", cache="static"))
    for changed in ({"compiling": "inductor"}, {"batch": 2}, {"changes": (ModelChange("relu"),)}, {"overlap": True}):
        assert departs(replace(BASE, **changed))  # type: ignore[arg-type]


def test_neighbours_by_length_share_a_call() -> None:
    lengths = [9, 2, 8, 3, 1]
    assert calls_of(lengths, replace(BASE, batch=2)) == ((0, 1), (2, 3), (4,))
    assert calls_of(lengths, replace(BASE, batch=2, batching="length")) == ((4, 1), (3, 2), (0,))
    assert calls_of(lengths, BASE) == ((0, 1, 2, 3, 4),)


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(0, 40), st.sampled_from(["given", "length", "packed"]))
def test_every_text_is_in_one_call(lengths: list[int], batch: int, batching: str) -> None:
    calls = calls_of(lengths, replace(BASE, batch=batch, batching=batching))
    assert sorted(k for call in calls for k in call) == list(range(len(lengths)))
    assert all(0 < len(call) <= (batch or len(lengths)) for call in calls)


@given(st.integers(1, 40), st.integers(1, 40))
def test_shares_are_neighbours_and_as_equal_as_can_be(texts: int, instances: int) -> None:
    job = Job("paper", tuple(str(k) for k in range(texts)), batch=3)
    if instances > texts:
        with pytest.raises(Unsupported):
            shares_of(job, instances)
        return
    shares = [share.texts for share in shares_of(job, instances)]
    assert sum(shares, ()) == job.texts
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert {share.batch for share in shares_of(job, instances)} == {None}


def test_cores_are_shared_out_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7, 9}, raising=False)
    assert cores_of(2) == ((3, 5), (7, 9))
    assert cores_of(4) == ((3,), (5,), (7,), (9,))
    assert all(cores_of(8))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores_of(2) == ((), ())
