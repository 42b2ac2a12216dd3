"""A real trace of Kineto, repeated until it has as many events as wanted: ids and times shifted, every byte else as it was.

    python bench/import/repeated.py TRACE EVENTS OUT

Prints the events and bytes that were written. OUT is plain JSON.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Numbers that are ids, and times in microseconds; a flow's "id" is the correlation of its launch.
_IDS = (
    b"External id",
    b"external id",
    b"correlation",
    b"id",
    b"Ev Idx",
    b"Python id",
    b"Python parent id",
    b"Record function id",
)
_NUMBER = re.compile(rb'"(' + b"|".join(_IDS) + rb'|ts)":\s*(\d+(?:\.\d+)?)')
_GAP_US = 1000


def write(source: Path, wanted: int, target: Path) -> int:
    """Events of `target`, at least `wanted`: whole repetitions only."""
    text = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    document = json.loads(text)
    events = len(document["traceEvents"])
    start = text.index(b"[", text.index(b'"traceEvents"')) + 1
    end = start + _length(text[start - 1 :], document["traceEvents"])
    body = text[start:end].strip().rstrip(b"]").strip()
    repetitions = -(-wanted // events)
    with target.open("wb") as file:
        file.write(text[:start])
        for number, part in enumerate(_repeated(body, repetitions)):
            file.write(b",\n" if number else b"\n")
            file.write(part)
        file.write(b"\n  ]" + text[end:])
    return events * repetitions


def _length(text: bytes, events: object) -> int:
    """Bytes of the list that `text` begins with, its opening bracket left out."""
    written = text.decode()
    found, end = json.JSONDecoder().raw_decode(written)
    assert found == events
    return len(written[:end].encode()) - 1


def _repeated(body: bytes, repetitions: int) -> Iterator[bytes]:
    pieces, numbers, at = [], [], 0
    for found in _NUMBER.finditer(body):
        pieces.append(body[at : found.start(2)])
        numbers.append((found[1] == b"ts", found[2]))
        at = found.end()
    rest = body[at:]
    times = [float(text) for is_time, text in numbers if is_time]
    ids = [int(text) for is_time, text in numbers if not is_time]
    span, step = int(max(times) - min(times)) + _GAP_US, max(ids, default=0) + 1
    split = [(is_time, *text.partition(b".")) for is_time, text in numbers]
    for k in range(repetitions):
        shifted = [
            b"%d%b%b" % (int(whole) + k * (span if is_time else step), dot, part) for is_time, whole, dot, part in split
        ]
        yield b"".join([half for pair in zip(pieces, shifted, strict=True) for half in pair]) + rest


if __name__ == "__main__":
    out = Path(sys.argv[3])
    print(write(Path(sys.argv[1]), int(sys.argv[2]), out), "events,", out.stat().st_size, "bytes")
