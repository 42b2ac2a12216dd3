"""A model that ONNX Runtime has made ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cyclescope.backends.artifacts.program import Arrays, Call, Node, Scope, Value
from cyclescope.backends.onnxruntime import profile
from cyclescope.backends.onnxruntime.nodes import File
from cyclescope.backends.onnxruntime.runtime import as_prepared, start
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray


class OnnxRuntimeProgram:
    """Implements `artifacts.program.Program` for the prepared file `path`."""

    engine = "onnxruntime"
    how = "onnxruntime profile"
    costs_inside = True

    def __init__(self, path: Path, plan: Plan, scopes: Mapping[str, Scope]) -> None:
        self._path = path
        self._plan = plan
        self._scopes = scopes
        self.files = tuple(sorted(path.parent.glob(f"{path.name}*")))
        self._session = start(path, as_prepared(plan))
        self._inputs = {value.name for value in self._session.get_inputs()}
        self._outputs = [value.name for value in self._session.get_outputs()]

    def __call__(self, arrays: Arrays) -> Arrays:
        feed = {name: array for name, array in arrays.items() if name in self._inputs}
        return dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))

    def watch(self) -> OnnxRuntimeWatch:
        return OnnxRuntimeWatch(self._path, self._plan, self._inputs, self._outputs)

    def nodes(self, arrays: Arrays) -> tuple[Node, ...]:
        if self._plan.threads_between > 1:
            raise Unsupported(
                m("The times of parallel operations cannot be attributed one by one."),
                m("ONNX Runtime runs independent operations in parallel in this plan."),
                m("Leave threads between operations out to see where the time goes."),
            )
        watch = self.watch()
        watch(arrays)
        ran = watch.read(shapes=True)[-1]
        given = {name: Value(name, array.shape, str(array.dtype)) for name, array in arrays.items()}
        return File(self._path, self._scopes).nodes(ran, given)

    def close(self) -> None:
        self._session = None


class OnnxRuntimeWatch:
    """Implements `artifacts.program.Watch`: a session of its own, since a profile can only be ended once."""

    def __init__(self, path: Path, plan: Plan, inputs: set[str], outputs: list[str]) -> None:
        self._folder = TemporaryDirectory(prefix="cyclescope-")
        options = as_prepared(plan)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(self._folder.name) / "profile")
        self._session = start(path, options)
        self._inputs, self._outputs = inputs, outputs
        self._started_ns: int = self._session.get_profiling_start_time_ns()

    def __call__(self, arrays: Arrays) -> Arrays:
        feed = {name: array for name, array in arrays.items() if name in self._inputs}
        return dict(zip(self._outputs, self._session.run(self._outputs, feed), strict=True))

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        ran = self.read()
        placed = profile.on_our_clock(ran, calls, self._started_ns)
        return [(run.names, spans) for run, spans in zip(ran, placed, strict=True)]

    def read(self, *, shapes: bool = False) -> list[profile.Ran]:
        """What was seen so far; the watch is over."""
        try:
            return profile.read(Path(self._session.end_profiling()), shapes=shapes)
        finally:
            self.close()

    def close(self) -> None:
        self._session = None
        self._folder.cleanup()
