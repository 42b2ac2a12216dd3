"""Real traces with random damage, for a stated time: each is read or refused, in bounded time and memory, and never crashes.

Damage: bytes changed, removed, repeated, moved and inserted; the file cut; its packed form changed. A damaged trace is read in this process, so
a crash of the compiled code ends it, and the seed that is printed first tells which damage it was.
"""

from __future__ import annotations

import gzip
import random
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from cyclescope.core.errors import CyclescopeError
from cyclescope.importing.parsing import packing
from cyclescope.importing.reading import read

_PIECES = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u12", b"\x00", b"\x1f", b"\xff\xfe", b"\xef\xbb\xbf", b"-", b"1e999", b"9" * 40, b"NaN",
    b"null", b"[" * 200, b'{"a":' * 100, b'"traceEvents": [', b'"args": 3', b'"ts": "x",', b'"dur": -5,', b'"ph": "E",', b'"ph": "b", "id": {},',
    b'{"ph":"X"},', b'"correlation": 1e5,', b'"External id": "7",', b'"Input Dims": [[', b"\n  },\n  {\n", b" " * 5000,
)  # fmt: skip
# A text of this size takes milliseconds, so that an hour tries a million.
_WINDOW = 60_000
_SLOW_S = 20.0


def run(folder: Path, seconds: float, seed: int) -> int:
    """The number of damaged traces that crashed or took too long. Small pieces make every border of chunks appear."""
    sources = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name.endswith((".json", ".json.gz", ".csv"))
    ]
    texts = [gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in sources]
    outcomes: Counter[str] = Counter()
    end = perf_counter() + seconds
    print(f"{len(texts)} traces, {seconds:.0f} s, first seed {seed}")
    with tempfile.TemporaryDirectory() as scratch:
        while perf_counter() < end:
            outcomes[_tried(texts, seed, Path(scratch))] += 1
            seed += 1
    print(", ".join(f"{number:,} {what}" for what, number in outcomes.most_common()) + f"; next seed {seed}")
    return outcomes["crashed"] + outcomes["slow"]


def _tried(texts: list[bytes], seed: int, scratch: Path) -> str:
    chance = random.Random(seed)
    data = damaged(_window(chance.choice(texts), chance), chance)
    if packed := chance.random() < 0.1:
        data = damaged(gzip.compress(data, 1), chance)
    path = scratch / f"damaged.json{'.gz' if packed else ''}"
    path.write_bytes(data)
    packing.PIECE = chance.choice([1 << 10, 1 << 12, 1 << 14, 1 << 22])
    begin = perf_counter()
    try:
        trace = read(path)
        outcome = "cut" if trace.reading.sources[0].cut else "read"
        assert (trace.events.duration_ns >= 0).all()
        assert not len(trace.events) or (
            trace.events.lane.max() < len(trace.lanes) and trace.events.detail.max() < len(trace.details)
        )
    except CyclescopeError:
        outcome = "refused"
    except Exception:
        print(f"seed {seed}:")
        traceback.print_exc()
        return "crashed"
    return outcome if perf_counter() - begin < _SLOW_S else "slow"


def _window(text: bytes, chance: random.Random) -> bytes:
    """The beginning and the end of a text, and something between: formats are recognised by the former."""
    if len(text) <= _WINDOW:
        return text
    at = chance.randrange(len(text))
    return text[: _WINDOW // 2] + text[at : at + _WINDOW // 4] + text[-_WINDOW // 4 :]


def damaged(data: bytes, chance: random.Random) -> bytes:
    text = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8, 30])):
        if not text:
            break
        at, length = chance.randrange(len(text)), chance.choice([1, 2, 5, 30, 500, 5000])
        chance.choice(_DAMAGES)(text, at, length, chance)
    return bytes(text)


def _insert(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    text[at:at] = chance.choice(_PIECES)


def _remove(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    del text[at : at + length]


def _repeat(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    text[at:at] = text[at : at + length]


def _change(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    text[at] = chance.randrange(256)


def _move(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    piece = text[at : at + length]
    del text[at : at + length]
    there = chance.randrange(len(text) + 1)
    text[there:there] = piece


def _cut(text: bytearray, at: int, length: int, chance: random.Random) -> None:
    if chance.random() < 0.3:
        del text[at:]


_DAMAGES: tuple[Callable[[bytearray, int, int, random.Random], None], ...] = (
    _insert,
    _remove,
    _repeat,
    _change,
    _move,
    _cut,
)
