"""A decoder in a file that ONNX Runtime has prepared, called step by step over one set of buffers for keys and values."""

from __future__ import annotations

from typing import Any

import numpy
import onnxruntime

from cyclescope.backends.onnxruntime.standalone.onnx_model import session_options

_PLACES = 128  # for tokens, by which the buffers grow
_KEPT_CALLS = 16  # sizes of calls that stay bound


class OnnxStepper:
    """A `Stepper` of `generating` for the file `path`. Rows begin at the left of its buffers, wherever their padding is.

    The engine writes keys and values where they stay, and reads and writes memory that is bound to it once for each size
    of a call: a step costs nothing but the step.
    """

    def __init__(self, path: str, threads: int, between: int = 0) -> None:
        options = self._options(threads, between)
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._past = [value for value in self._session.get_inputs() if value.name.startswith("past_")]
        self._vocabulary = next(v.shape[-1] for v in self._session.get_outputs() if v.name == "logits")
        self._buffers: dict[str, Any] = {}
        self._calls: dict[tuple[int, int], _Call] = {}
        self._rows = self._places = 0
        self._read = numpy.zeros(0, numpy.int64)

    def _options(self, threads: int, between: int) -> Any:
        options = session_options(threads, between)
        # The file has been through the engine's passes already.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return options

    def start(self, rows: int) -> None:
        """Forget what was read; the next calls read `rows` rows."""
        if rows != self._rows:
            self._rows, self._places = rows, 0
        self._read = numpy.zeros(rows, numpy.int64)

    def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        """Logits [rows, last, vocabulary] behind the `last` of the tokens `ids` [rows, new]; the next call overwrites them.

        `mask` [rows, read + new] is 0 at padding, `positions` [rows, new] are those of `ids`.
        """
        rows, new = ids.shape
        there = mask[:, -new:].sum(axis=1)
        read = self._read + there
        self._make_room(int(self._read.max()) + new)
        call = self._calls.get((new, last)) or self._bound(new, last)
        padded = new - there
        if padded.any():
            if self._read.any():
                raise ValueError("padding stands before a text, not within it")
            for row, pad in enumerate(padded):
                call.ids[row, : new - pad], call.ids[row, new - pad :] = ids[row, pad:], 0
                call.positions[row, : new - pad], call.positions[row, new - pad :] = positions[row, pad:], 0
        else:
            call.ids[:], call.positions[:] = ids, positions
        call.read[:] = read - 1
        call.longest[...] = self._read.max() + new
        behind = there[:, None] - last + numpy.arange(last)
        call.wanted[:] = behind + new * numpy.arange(rows)[:, None]
        self._session.run_with_iobinding(call.binding)
        self._read = read
        return call.logits

    def forget(self, tokens: int) -> None:
        """Drop the last `tokens` tokens that were read: what comes next is written over them."""
        self._read -= tokens

    def _make_room(self, tokens: int) -> None:
        """Buffers for `tokens` tokens a row; what was read stays in them."""
        if tokens <= self._places:
            return
        self._places = -(-max(tokens, 2 * self._places) // _PLACES) * _PLACES
        kept = int(self._read.max())
        for value in self._past:
            made = numpy.zeros((self._rows, value.shape[1], self._places, value.shape[3]), numpy.float32)
            if kept:
                made[:, :, :kept] = self._buffers[value.name][:, :, :kept]
            self._buffers[value.name] = made
        self._calls.clear()

    def _bound(self, new: int, last: int) -> _Call:
        """A call for `new` tokens a row, bound to memory of its own and to the buffers."""
        call = _Call(self._session, self._rows, new, last, self._vocabulary)
        for name, buffer in self._buffers.items():
            call.give(name, buffer)
            call.take(name.replace("past_", "present_", 1), buffer)
        if new == 1 or len(self._calls) < _KEPT_CALLS:
            self._calls[new, last] = call
        return call


class _Call:
    """What goes into a call of one size and comes out of it, at places that the engine knows."""

    def __init__(self, session: Any, rows: int, new: int, last: int, vocabulary: int) -> None:
        self.binding = session.io_binding()
        self.ids = self.give("input_ids", numpy.zeros((rows, new), numpy.int64))
        self.positions = self.give("position_ids", numpy.zeros((rows, new), numpy.int64))
        self.read = self.give("last_read", numpy.zeros(rows, numpy.int32))
        self.longest = self.give("longest", numpy.zeros((), numpy.int32))
        self.wanted = self.give("wanted", numpy.zeros((rows, last), numpy.int64))
        self.logits = self.take("logits", numpy.zeros((rows, last, vocabulary), numpy.float32))

    def give(self, name: str, array: Any) -> Any:
        self.binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        return array

    def take(self, name: str, array: Any) -> Any:
        self.binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        return array
