"""ONNX Runtime writes, and tells of each kernel in each of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclescope.backends.artifacts.program import Arrays, Call, Node, Value
from cyclescope.backends.artifacts.stepped_writer import SteppedWriter
from cyclescope.backends.onnxruntime import profile
from cyclescope.backends.onnxruntime.nodes import File
from cyclescope.backends.onnxruntime.standalone.onnx_stepper import OnnxStepper
from cyclescope.backends.torch.exporting.scopes import scopes_of
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray

_PAST, _PRESENT = "past_", "present_"
_GUESSED = m("Calls that verify drafted tokens differ in length, so they are not profiled.")
_BESIDE = m("Operations run in parallel, so their times cannot be attributed one by one and calls are not profiled.")


class OnnxRuntimeWriter(SteppedWriter):
    """Implements `artifacts.writer.ProfiledWriter` for the prepared file `path`, which is made of the file `exported`."""

    def __init__(self, path: Path, exported: Path, plan: Plan, never: tuple[int, ...]) -> None:
        stepper = OnnxStepper(str(path), plan.threads, plan.threads_between)
        super().__init__(plan.engine, stepper, sorted(path.parent.glob(f"{path.name}*")), plan, never)
        self._path, self._exported, self._plan, self._never = path, exported, plan, never

    @property
    def not_profiled_reason(self) -> Text:
        if self._plan.threads_between > 1:
            return _BESIDE
        return _GUESSED if self._plan.drafting != "off" else ""

    def watch(self) -> OnnxRuntimeWritingWatch:
        return OnnxRuntimeWritingWatch(self._path, self._plan, self._never)

    def nodes(self, arrays: Arrays, new_tokens: int) -> tuple[tuple[Node, ...], ...]:
        watch = self.watch()
        buffers = watch.buffers
        watch.write(arrays, new_tokens)
        file = File(self._path, scopes_of(self._exported))
        rows, tokens = arrays["input_ids"].shape
        mask = arrays.get("attention_mask")
        longest = tokens if mask is None else int(mask.sum(axis=1).max())
        found, read = [], 0
        for number, ran in enumerate(watch.read(shapes=True)):
            given = _given(rows, 1 if number else tokens, buffers, read)
            read = longest + number
            found.append(file.nodes(ran, given, _Written(read)))
        return tuple(found)


class OnnxRuntimeWritingWatch(SteppedWriter):
    """Implements `artifacts.writer.WritingWatch`: a session of its own, since a profile can only be ended once."""

    how = "onnxruntime profile"

    def __init__(self, path: Path, plan: Plan, never: tuple[int, ...]) -> None:
        self._folder = TemporaryDirectory(prefix="cyclescope-")
        self._stepper: _Profiled | None = _Profiled(path, plan, Path(self._folder.name) / "profile")
        self._started_ns = self._stepper.started_ns
        super().__init__(plan.engine, self._stepper, (path,), plan, never)

    @property
    def buffers(self) -> tuple[Value, ...]:
        """What goes into a call of keys and values, with room for nothing."""
        assert self._stepper is not None
        return self._stepper.buffers

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        ran = self.read()
        placed = profile.on_our_clock(ran, calls, self._started_ns)
        return [(run.names, spans) for run, spans in zip(ran, placed, strict=True)]

    def read(self, *, shapes: bool = False) -> list[profile.Ran]:
        """What was seen so far; the watch is over."""
        assert self._stepper is not None
        try:
            return profile.read(self._stepper.finish(), shapes=shapes)
        finally:
            self.close()

    def close(self) -> None:
        super().close()
        self._stepper = None
        self._folder.cleanup()


class _Profiled(OnnxStepper):
    """The stepper with the engine's profile on, which goes to a file that begins with `place`."""

    def __init__(self, path: Path, plan: Plan, place: Path) -> None:
        self._place = place
        super().__init__(str(path), plan.threads, plan.threads_between)
        self.started_ns: int = self._session.get_profiling_start_time_ns()

    def _options(self, threads: int, between: int) -> Any:
        options = super()._options(threads, between)
        options.enable_profiling = True
        options.profile_file_prefix = str(self._place)
        return options

    @property
    def buffers(self) -> tuple[Value, ...]:
        return tuple(Value(value.name, (0, value.shape[1], 0, value.shape[3]), "float32") for value in self._past)

    def finish(self) -> Path:
        return Path(self._session.end_profiling())


def _given(rows: int, new: int, buffers: Sequence[Value], read: int) -> dict[str, Value]:
    """What a call is given that reads `new` tokens of each of `rows` rows and computes the logits behind one of them;
    `buffers` hold `read` tokens of the longest row.
    """
    given = {
        "input_ids": Value("input_ids", (rows, new), "int64"),
        "position_ids": Value("position_ids", (rows, new), "int64"),
        "last_read": Value("last_read", (rows,), "int32"),
        "longest": Value("longest", (), "int32"),
        "wanted": Value("wanted", (rows, 1), "int64"),
    }
    for buffer in buffers:
        _, heads, _, width = buffer.shape
        name = buffer.name.removeprefix(_PAST)
        given[buffer.name] = Value(name, (rows, heads, read, width), buffer.dtype, kept=True)
    return given


class _Written:
    """Of the buffers, which have more places, as much as `tokens` tokens take; all else unchanged."""

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens

    def __call__(self, value: Value) -> Value:
        if not value.name.startswith(_PRESENT):
            return value
        rows, heads, _, width = value.shape
        return replace(
            value, name=value.name.removeprefix(_PRESENT), shape=(rows, heads, self._tokens, width), kept=True
        )
