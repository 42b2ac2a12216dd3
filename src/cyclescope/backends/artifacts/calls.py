"""A cycle of several calls of an engine that runs a model from a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from cyclescope.backends.artifacts.call import ArrayCall, Outputs
from cyclescope.backends.artifacts.program import Arrays, Program
from cyclescope.backends.artifacts.writer import EngineWriter
from cyclescope.backends.artifacts.writing_session import written
from cyclescope.backends.base import OpenTimes
from cyclescope.backends.calls_session import CallsSession
from cyclescope.backends.results import generated_results, results_of
from cyclescope.core.edits import Edit
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.units import Nanoseconds
from cyclescope.core.workload import Workload


class RunCall(Protocol):
    """Runs one call of an engine. `emitted_ns` is when each token of the last call came out; empty where it wrote none."""

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]: ...

    def __call__(self, call: ArrayCall, arrays: Arrays) -> Any: ...

    def close(self) -> None: ...


class ProgramRun:
    """Implements `RunCall` on a program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def __call__(self, call: ArrayCall, arrays: Arrays) -> Outputs:
        given = self._program(arrays)
        # What an engine lends is its own again with the next call.
        return Outputs({name: a if a.flags.owndata else a.copy() for name, a in given.items()})

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]:
        return ()

    def close(self) -> None:
        self._program.close()


class WriterRun:
    """Implements `RunCall` on a writer."""

    def __init__(self, writer: EngineWriter) -> None:
        self._writer = writer

    def __call__(self, call: ArrayCall, arrays: Arrays) -> Any:
        return written(self._writer, call, arrays)

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]:
        return self._writer.emitted_ns

    def close(self) -> None:
        self._writer.close()


class ArtifactCalls(CallsSession[ArrayCall, Arrays]):
    """Implements `backends.base.Session` for the `calls` of a cycle; `folder` holds the files of the engine."""

    def __init__(
        self,
        run: RunCall,
        calls: Sequence[ArrayCall],
        texts: Sequence[Sequence[int]],
        workload: Workload,
        plan: Plan,
        machine: Machine,
        times: OpenTimes,
        *,
        folder: AbstractContextManager[object],
        notes: Sequence[Text] = (),
        edits: Sequence[Edit] = (),
    ) -> None:
        super().__init__(calls, texts, workload, plan, machine, times, notes, edits)
        self._call_engine = run
        self._folder = folder

    def _feed(self, call: ArrayCall) -> Arrays:
        return call.arrays()

    def _run(self, call: ArrayCall, inputs: Arrays) -> Any:
        return self._call_engine(call, inputs)

    def _words(self, call: ArrayCall, result: Any) -> str | None:
        return call.words(result)

    def _said(self, call: ArrayCall, words: str | None, result: Any) -> str:
        return call.outcome(words, result)

    def _emitted_ns(self, call: ArrayCall) -> Sequence[Nanoseconds]:
        return self._call_engine.emitted_ns

    def _results_of(self, call: ArrayCall) -> Results:
        arrays = call.arrays()
        given = self._call_engine(call, arrays)
        if call.new_tokens:
            return generated_results(given[:, -call.new_tokens :], arrays)
        return results_of(given, arrays, call.classes)

    def close(self) -> None:
        super().close()
        self._call_engine.close()
        self._folder.__exit__(None, None, None)
