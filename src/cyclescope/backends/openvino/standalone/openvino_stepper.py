"""A decoder in OpenVINO's own file that holds its cache, called step by step."""

from __future__ import annotations

import sys
from typing import Any

import numpy

from cyclescope.backends.openvino.standalone.openvino_model import plugin_settings

_MOST_DEAD = 64  # tokens that stay in the cache though they are forgotten, before it is rebuilt without them


def compiled_decoder(path: str, threads: int, precision: str, group: int, cache: str) -> Any:
    """The file `path`, ready to run; keys and values are kept in the precision `cache`."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # or the import sends an event
    import openvino

    settings = {**plugin_settings(threads, precision, group), "KV_CACHE_PRECISION": cache}
    return openvino.Core().compile_model(path, "CPU", settings)


class OpenVinoStepper:
    """A `Stepper` of `generating`. What it is to forget stays in the engine's cache and is masked, until there is so much of
    it that reading the cache out and in again costs less than carrying it along.
    """

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self.start(0)

    def start(self, rows: int) -> None:
        """Forget what was read; the next calls read `rows` rows."""
        self._request.reset_state()
        self._rows = numpy.arange(rows, dtype=numpy.int32)
        self._alive = numpy.zeros(0, dtype=bool)  # of every token in the engine's cache

    def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        """Logits [rows, last, vocabulary] behind the `last` of the tokens `ids` [rows, new]; the next call overwrites them.

        `mask` [rows, read + new] is 0 at padding, `positions` [rows, new] are those of `ids`.
        """
        new = ids.shape[1]
        self._alive = numpy.concatenate([self._alive, numpy.ones(new, dtype=bool)])
        if mask.shape[1] < len(self._alive):
            whole = numpy.zeros((len(mask), len(self._alive)), dtype=numpy.int64)
            whole[:, self._alive] = mask
            mask = whole
        feed = {
            "input_ids": ids,
            "attention_mask": mask,
            "position_ids": positions,
            "wanted": numpy.arange(new - last, new),
            "beam_idx": self._rows,
        }
        # Without copies: what comes out is read before the next call.
        return self._request.infer(feed, share_inputs=True, share_outputs=True)[0]

    def forget(self, tokens: int) -> None:
        """Drop the last `tokens` tokens that were read."""
        alive = numpy.flatnonzero(self._alive)
        self._alive[alive[len(alive) - tokens :]] = False
        dead = len(self._alive) - int(self._alive.sum())
        if dead > max(_MOST_DEAD, len(alive) // 4):
            self._make_anew()

    def _make_anew(self) -> None:
        """The engine's cache without what is forgotten."""
        import openvino

        for state in self._request.query_state():
            kept = numpy.ascontiguousarray(state.state.data[:, :, self._alive])
            state.state = openvino.Tensor(kept)
        self._alive = numpy.ones(int(self._alive.sum()), dtype=bool)
