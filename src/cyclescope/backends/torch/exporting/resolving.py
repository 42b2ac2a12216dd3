"""A request resolved for an engine that runs a model from a file: calls of a model that has been changed as the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory

from cyclescope.backends.artifacts.call import ArrayCall
from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.changes.catalogue import make_changes
from cyclescope.backends.torch.changes.change import Subject
from cyclescope.backends.torch.exporting.array_calls import array_call
from cyclescope.backends.torch.loading.loading import Loaded
from cyclescope.backends.torch.packages import PACKAGES
from cyclescope.backends.torch.planning import calls_for
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.backends.torch.steps import Steps
from cyclescope.core.edits import Edit, calibrated
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.workload import Workload
from cyclescope.machines.host import read_machine, usable_cores

ENGINE_CHANGES = ("unfused",)  # changes that an engine makes to the exported model only


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """The `calls` of the model of a cycle, and the numbers of the `texts` of each. `edits` have been made in the model, `kept`
    are those that name what an engine runs from instead. `plan` is the one in force.
    """

    calls: tuple[Steps, ...]
    texts: tuple[tuple[int, ...], ...]
    workload: Workload
    plan: Plan
    machine: Machine
    edits: tuple[Edit, ...]
    kept: tuple[Edit, ...]
    notes: tuple[Text, ...]

    @property
    def steps(self) -> Steps:
        """The first call, which tells what kind they are."""
        return self.calls[0]

    @property
    def array_calls(self) -> tuple[ArrayCall, ...]:
        """The calls as an engine takes them that knows arrays only."""
        return tuple(array_call(steps, self.workload.task) for steps in self.calls)


def unmodified(request: Request) -> Request:
    """The same of the unmodified model, on PyTorch: what an engine is made of and held against."""
    return replace(request, dtype=None, attention=None, plan=None, threads=None, device="cpu")


def folder_for(request: Request) -> AbstractContextManager[str]:
    """Where files are made: in the folder that is shared with other processes, or in one that goes when it is left."""
    return nullcontext(request.shared) if request.shared else TemporaryDirectory(prefix="cyclescope-")


def resolve_request(request: Request, plan: Plan, loaded: Loaded) -> ResolvedRequest:
    """The calls of `request` with the model that was `loaded` for it, changed as the edits of `request` or `plan` say."""
    with engine_errors(m("prepare the input")):
        calls, texts, workload, notes = calls_for(unmodified(request), loaded, plan)
    plan = replace(plan, threads=plan.threads or usable_cores(), attention="engine")
    machine = read_machine("cpu", packages=PACKAGES)
    said: tuple[Text, ...] = ()
    kept = calibrated(request.edits)
    if request.edits:
        edits = tuple(each for each in request.edits if each not in kept)
        edit(calls[0].model, [(each.what, each.path, each.numbers) for each in edits], request.files)
    else:
        edits, said = _change(calls, texts, workload, plan, machine, request.files)
    remarks = (*((loaded.note,) if loaded.note else ()), *notes, *said)
    return ResolvedRequest(calls, texts, workload, plan, machine, edits, kept, remarks)


def _change(
    calls: Sequence[Steps],
    texts: Sequence[Sequence[int]],
    workload: Workload,
    plan: Plan,
    machine: Machine,
    files: str | None,
) -> tuple[tuple[Edit, ...], tuple[Text, ...]]:
    """Make the changes of `plan` in the model itself, before it is exported; what they were, in edits and in words."""
    changes = tuple(change for change in plan.changes if change.name not in ENGINE_CHANGES)
    if not changes:
        return (), ()
    here = TorchSession(calls[0], workload, Plan(threads=plan.threads), machine, OpenTimes(None, None))
    try:
        inputs = [{**steps.inputs(), **steps.fixed} for steps in calls]
        order = [number for some in texts for number in some]
        subject = Subject(calls[0].model, here.trace(), inputs, order, files=files)
        made = make_changes(subject, changes)
    finally:
        here.close()
    return made.edits, (made.said,)
