"""A cycle of several calls of a model on PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch

from cyclescope.backends.base import OpenTimes
from cyclescope.backends.calls_session import CallsSession
from cyclescope.backends.torch.results import classes_of, results_of
from cyclescope.backends.torch.stamping.device import waiting_for
from cyclescope.backends.torch.steps import Inputs, Steps, describe_result
from cyclescope.core.edits import Edit
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload


class TorchCalls(CallsSession[Steps, Inputs]):
    """Implements `backends.base.Session` for the `calls` of a cycle; the threads of the plan are in force."""

    def __init__(
        self,
        calls: Sequence[Steps],
        texts: Sequence[Sequence[int]],
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        notes: Sequence[Text] = (),
        edits: Sequence[Edit] = (),
    ) -> None:
        self._threads_before = torch.get_num_threads()
        if plan.threads:
            torch.set_num_threads(plan.threads)
        plan = replace(plan, threads=torch.get_num_threads())
        super().__init__(calls, texts, workload, plan, machine, times, notes, edits)
        self._waiting = waiting_for(plan.device)

    def resume(self) -> None:
        torch.set_num_threads(self.plan.threads)

    def _feed(self, call: Steps) -> Inputs:
        return call.inputs()

    def _run(self, call: Steps, inputs: Inputs) -> Any:
        return call.run(inputs)

    def _words(self, call: Steps, result: Any) -> str | None:
        return call.read_out(result) if call.read_out is not None else None

    def _said(self, call: Steps, words: str | None, result: Any) -> str:
        return words if words is not None and call.keep_words else describe_result(result)

    def _results_of(self, call: Steps) -> Results:
        classes = classes_of(getattr(call.model, "config", None)) if self.workload.task == "classify" else ()
        inputs = call.inputs()
        written = call.writer.new_tokens if call.writer else 0
        return results_of(call.run(inputs), inputs, written, classes)

    def _emitted_ns(self, call: Steps) -> Sequence[Nanoseconds]:
        return call.writer.emitted_ns if call.writer is not None else ()

    def _computing(self) -> AbstractContextManager[object]:
        return torch.inference_mode()

    def _wait(self) -> None:
        self._waiting()

    def close(self) -> None:
        super().close()
        torch.set_num_threads(self._threads_before)
