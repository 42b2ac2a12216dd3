"""A chunk that is not JSON, event by event: what is whole is read, what can be mended is mended, the rest is counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from cyclescope.core.units import Bytes
from cyclescope.importing.parsing.decoding import Batch, Decoder
from cyclescope.importing.parsing.mending import mended, mended_numbers
from cyclescope.importing.parsing.splitting import borders

# An object in a list in the arguments of an event can look like a border; an event has few of these.
_MOST_JOINED = 8
_END_OF_LIST = re.compile(rb"\}\s*,?\s*\]")
_ONLY_END = re.compile(rb"\s*,?\s*\]")
_BEHIND = b", \t\r\n"
_UNREADABLE = (msgspec.DecodeError, RecursionError)


@dataclass
class Recovered:
    """What a chunk gave. `rest` does not end in the chunk; `tail` is what stands behind the end of the list, if that is there.

    `lost` are bytes in no event that was read.
    """

    batches: list[Batch] = field(default_factory=list)
    mended: int = 0
    broken: int = 0
    lost: Bytes = 0
    rest: bytes = b""
    tail: bytes | None = None


def recover(text: bytes, decoder: Decoder, last: bool) -> Recovered:
    """The events of `text`, which `decoder` cannot read as a whole. `last`: the file ends with it."""
    return _Recovery(text, decoder, last).run()


class _Recovery:
    def __init__(self, text: bytes, decoder: Decoder, last: bool) -> None:
        self.text, self.decoder, self.last = text, decoder, last
        cuts = [*borders(text)]
        self.starts = [0, *(start for _, start in cuts)]
        self.ends = [*(end for end, _ in cuts), len(text)]
        self.found = Recovered()
        self.read_until = 0  # the first piece that is not dealt with

    def run(self) -> Recovered:
        """Halves are tried until what cannot be read is a single piece; from left to right."""
        waiting = [(0, len(self.starts))]
        while waiting and self.found.tail is None and not self.found.rest:
            low, high = waiting.pop()
            low = max(low, self.read_until)
            if low >= high or self._read(low, high):
                continue
            if high - low == 1:
                self._single(low)
            else:
                middle = (low + high) // 2
                waiting += [(middle, high), (low, middle)]
        return self.found

    def _read(self, low: int, high: int) -> bool:
        return self._decoded(self.text[self.starts[low] : self.ends[high - 1]], high)

    def _decoded(self, text: bytes, until: int) -> bool:
        try:
            batch = self.decoder.batch(text)
        except _UNREADABLE:
            return False
        self.found.batches.append(batch)
        self.read_until = until
        return True

    def _single(self, at: int) -> None:
        """A piece that is no event by itself."""
        piece = self.text[self.starts[at] : self.ends[at]]
        final = at == len(self.starts) - 1
        if self._ended(piece, at, mending=False) or self._joined(at) or self._continued(at):
            return
        if self._ended(piece, at, mending=True):
            return
        if final and (whole := piece.rstrip(_BEHIND)) != piece and (not whole or self._decoded(whole, at + 1)):
            return
        if self._decoded(mended_numbers(mended(piece)), at + 1):
            self.found.mended += 1
        elif final:
            self.found.rest = piece
        else:
            self.found.broken += 1
            self.found.lost += len(piece)
            self.read_until = at + 1

    def _ended(self, piece: bytes, at: int, mending: bool) -> bool:
        """Whether the list ends in `piece`: behind an event, or before any; `mending`: behind one that has to be mended."""
        if only := _ONLY_END.match(piece):
            self.found.tail = self.text[self.starts[at] + only.end() :]
            return True
        ends = [*islice(_END_OF_LIST.finditer(piece), _MOST_JOINED)]
        for end in ends:
            if self._decoded(piece[: end.start() + 1], at + 1):
                self.found.tail = self.text[self.starts[at] + end.end() :]
                return True
        for end in ends if mending else ():
            if self._decoded(mended_numbers(mended(piece[: end.start() + 1])), at + 1):
                self.found.mended += 1
                self.found.tail = self.text[self.starts[at] + end.end() :]
                return True
        return False

    def _joined(self, at: int) -> bool:
        """Whether the event goes on behind what looked like its end."""
        last = min(at + _MOST_JOINED, len(self.starts))
        if any(self._decoded(self.text[self.starts[at] : self.ends[i]], i + 1) for i in range(at + 1, last)):
            return True
        return at + 1 < len(self.starts) == last and self._ended(self.text[self.starts[at] :], at, mending=False)

    def _continued(self, at: int) -> bool:
        """Whether the event may go on behind the chunk."""
        if self.last or at + _MOST_JOINED < len(self.starts):
            return False
        rest = self.text[self.starts[at] :]
        try:
            self.decoder.batch(rest)
        except msgspec.DecodeError as error:
            if "truncated" in str(error):
                self.found.rest = rest
                return True
        except RecursionError:
            pass
        return False
