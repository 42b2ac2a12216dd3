"""Greedy decoding with a model that is called step by step and remembers what it has read."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any, Protocol

import numpy

_LONGEST_MATCH = 2  # tokens that are looked up; as transformers has it


class Stepper(Protocol):
    """A decoder with a cache: each call reads some tokens more of every row."""

    def start(self, rows: int) -> None:
        """Forget what was read; the next calls read `rows` rows."""
        ...

    def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        """Logits [rows, last, vocabulary] behind the `last` of the tokens `ids` [rows, new], in memory that may be changed.

        `mask` [rows, read + new] is 0 at padding, `positions` [rows, new] are those of `ids`.
        """
        ...

    def forget(self, tokens: int) -> None:
        """Drop the last `tokens` tokens that were read."""
        ...


class Generation:
    """The token ids of the last `write`, and when what happened, on the clock of `time.perf_counter_ns`.

    `calls_ns` are the begin and end of each call of the model, `emitted_ns` the moments at which its tokens were out.
    With `looked_up` that many tokens are guessed from what a row holds so far, and checked at once. Tokens in `never` are
    not written, however likely: the ends of a text, where exactly so many tokens are wanted.
    """

    def __init__(self, stepper: Stepper, looked_up: int = 0, never: tuple[int, ...] = ()) -> None:
        self._stepper = stepper
        self._looked_up = looked_up
        self._never = never
        self.calls_ns: list[tuple[int, int]] = []
        self.emitted_ns: list[int] = []

    def write(self, ids: Any, mask: Any, new_tokens: int, ends: tuple[int, ...] = (), fill: int = 0) -> Any:
        """Token ids [rows, at most `new_tokens`] written on the prompts `ids` [rows, tokens], padded on the left where
        `mask` is 0.

        A row ends with one of `ends`; what stands beside others that still write is `fill`. Tokens are guessed for one row only.
        """
        self.calls_ns, self.emitted_ns = [], []
        rows = ids.shape[0]
        self._stepper.start(rows)
        positions = numpy.maximum(mask.cumsum(axis=1) - 1, 0)
        token = self._call(ids, mask, positions, 1)
        self.emitted_ns.append(perf_counter_ns())
        written, ended = token, numpy.isin(token[:, 0], ends)
        while written.shape[1] < new_tokens and not ended.all():
            guess = self._guess(numpy.concatenate([ids, written], axis=1), new_tokens - written.shape[1] - 1)
            fed = numpy.concatenate([written[:, -1:], guess], axis=1)
            grown = numpy.concatenate([mask, numpy.ones((rows, written.shape[1] + guess.shape[1]), mask.dtype)], axis=1)
            behind = mask.sum(axis=1, keepdims=True) + written.shape[1] - 1 + numpy.arange(fed.shape[1])
            tokens = self._call(fed, grown, behind, fed.shape[1])
            right = int(numpy.cumprod(tokens[0, :-1] == guess[0]).sum()) if guess.shape[1] else 0
            tokens = tokens[:, : right + 1]
            if ends and right:
                stop = numpy.flatnonzero(numpy.isin(tokens[0], ends))
                tokens = tokens[:, : stop[0] + 1] if len(stop) else tokens
            if guess.shape[1] > right:
                self._stepper.forget(guess.shape[1] - right)
            tokens = numpy.where(ended[:, None], fill, tokens)
            ended |= numpy.isin(tokens[:, -1], ends)
            written = numpy.concatenate([written, tokens], axis=1)
            self.emitted_ns += [perf_counter_ns()] * tokens.shape[1]
        return written

    def _call(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        """The likeliest token behind each of the `last` of `ids` [rows, last]."""
        begin = perf_counter_ns()
        logits = self._stepper(ids, mask, positions, last)
        # A model may name an end that its vocabulary does not have.
        never = [token for token in self._never if 0 <= token < logits.shape[-1]]
        if never:
            logits[:, :, never] = -numpy.inf
        self.calls_ns.append((begin, perf_counter_ns()))
        return logits.argmax(axis=-1)

    def _guess(self, ids: Any, most: int) -> Any:
        """Tokens that may follow the row `ids` [1, tokens], as `seen_before` has them [1, `most` at most]."""
        most = min(most, self._looked_up)
        return seen_before(ids[0], most)[None] if most > 0 and ids.shape[0] == 1 else ids[:, :0]


def seen_before(row: Any, most: int) -> Any:
    """What followed the last tokens of `row` where they stood before, `most` tokens at most: two of them, else one."""
    for size in range(min(_LONGEST_MATCH, len(row) - 1), 0, -1):
        windows = numpy.lib.stride_tricks.sliding_window_view(row[:-1], size)
        for at in numpy.flatnonzero((windows == row[-size:]).all(axis=1)):
            return row[at + size : at + size + most]
    return row[:0]
