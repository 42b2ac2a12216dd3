"""Compiled code and Python give the same columns of the same text, and compiled code refuses what it cannot read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.importing.formats.kineto import KINETO
from cyclescope.importing.parsing import events_file
from cyclescope.importing.parsing.scanning.scanner import Scanning, compiled
from cyclescope.importing.reading import read
from cyclescope.importing.trace import Trace
from importing.kineto_text import document, events, launched, span

TRACES = Path(__file__).parents[2] / "data" / "traces"

pytestmark = pytest.mark.skipif(not compiled(), reason="no compiler when the package was installed")


def facts(trace: Trace) -> list[tuple[Any, ...]]:
    """Every event with all that is known of it, in words: numbers of names and details may differ."""
    e = trace.events
    return [
        (
            trace.name_of(i), int(e.kind[i]), int(e.begin_ns[i]), int(e.duration_ns[i]), trace.lanes[e.lane[i]], int(e.correlation[i]),
            int(e.external[i]), trace.details.raw[e.detail[i]] if e.detail[i] >= 0 else b"",
        )
        for i in range(len(e))
    ]  # fmt: skip


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Trace, Trace, int]:
    """The trace of `path` by compiled code behind a first small chunk, the same in Python, and the chunks that the former took."""
    taken = 0
    scan = Scanning.scan

    def counting(self: Scanning, text: bytes) -> Any:
        nonlocal taken
        found = scan(self, text)
        taken += 1
        return found

    monkeypatch.setattr("cyclescope.importing.parsing.packing.PIECE", 1 << 14)
    monkeypatch.setattr(Scanning, "scan", counting)
    fast = read(path)
    monkeypatch.setattr(events_file, "compiled", lambda: False)
    return fast, read(path), taken


@pytest.mark.parametrize("name", ["h100-qwen", "mi300-bert-small", "cpu-only-training", "torch-cpu"])
def test_real_traces_are_read_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow, taken = both(TRACES / f"{name}.json.gz", monkeypatch)

    assert taken > 10
    assert facts(fast) == facts(slow)
    assert fast.reading.counts == slow.reading.counts
    for columns in ("flows", "counters"):
        for column in vars(getattr(fast, columns)):
            if column not in ("name", "series", "id"):
                assert np.array_equal(
                    getattr(getattr(fast, columns), column), getattr(getattr(slow, columns), column)
                ), column


scalars = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**19), st.floats(allow_nan=False), st.text(max_size=8))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(["ph", "cat", "name", "pid", "tid", "ts", "dur", "id", "args", "id2", "bp", "s"])
arguments = st.dictionaries(
    st.sampled_from(["External id", "correlation", "Input Dims", "grid", "Ev Idx", "x"]), values, max_size=4
)
whole_events = st.builds(
    lambda a, b, c, d: {"ph": "X", "cat": "kernel", "name": a, "pid": 0, "tid": b, "ts": c, "dur": d, "args": {"correlation": b, "grid": [b]}},
    st.text(max_size=12), st.integers(0, 3), st.floats(0, 1e9), st.floats(-5, 1e6),
)  # fmt: skip
odd_events = st.dictionaries(
    keys, st.one_of(values, arguments, st.sampled_from(["X", "B", "E", "M", "C", "i"])), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(whole_events, odd_events), min_size=1, max_size=8), st.sampled_from([None, 2]))
def test_any_events_are_read_alike_or_refused(records: list[dict[str, Any]], indent: int | None) -> None:
    """What compiled code takes, Python reads to the same numbers."""
    from cyclescope.importing.parsing.decoding import Decoder
    from cyclescope.importing.parsing.gathering import Gathering

    text = json.dumps(records, indent=indent)[1:-1].encode()
    try:
        chunk = Scanning(KINETO).scan(text)
    except ValueError:
        return
    batch = Decoder().batch(text)
    for column in ("timed", "negative"):
        assert getattr(chunk, column).tolist() == getattr(batch, column).tolist(), column
    assert np.abs(chunk.begin_ns - batch.begin_ns)[chunk.timed].max(initial=0) <= 1
    assert np.abs(chunk.duration_ns - batch.duration_ns).max(initial=0) <= 1
    one, other = Gathering(KINETO), Gathering(KINETO)
    one.add_scanned(chunk)
    other.add(batch)
    assert one.phases == other.phases
    assert one.events.rows == other.events.rows
    for column in ("kind", "correlation", "external"):
        assert one.events.pop(column, np.int64).tolist() == other.events.pop(column, np.int64).tolist(), column


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"{}x", b"{},", b'{"name": "a}', b'{"name": "a\nb"}', b'{"name": "\\x"}', b'{"name": "\\u12"}', b'{"name": 1}',
        b'{"ts": "1"}', b'{"ts": 1e3}', b'{"ts": 01}', b'{"ts": -}', b'{"ts": 99999999999999999999}', b'{"dur": NaN}', b'{"dur": null}',
        b'{"args": []}', b'{"args": {"correlation": 1.5}}', b'{"args": {"correlation": 99999999999999999999}}', b'{"a": tru}',
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a": ' + b"[" * 5000, b'{"a" 1}', b'{"a": [1 2]}', b'{"a": {"b"}}', b"[]", b"1",
        b'{"a": "\\', b'{"a": "\\u', b'{"a": ', b'{"a":', b'{"a"', b'{"a": -', b'{"a": 1.', b'{"a": 1e', b'{"a": t', b'{"a": "\x00"}',
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="plain"):
        Scanning(KINETO).scan(text)


def test_every_prefix_of_a_trace_is_read_or_refused() -> None:
    """No read goes beyond the end, whatever the text ends with."""
    text = json.dumps(events())[1:-1].encode()
    whole = 0
    for length in range(len(text) + 1):
        try:
            whole += len(Scanning(KINETO).scan(text[:length]).begin_ns) > 0
        except ValueError:
            continue

    assert whole == len(events()), "each border between two events, and the end"


def test_a_name_that_is_no_utf8_is_left_to_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.importing.parsing.packing.PIECE", 1 << 12)
    path = tmp_path / "trace.json"
    many = [event for i in range(200) for event in launched(f"kernel {i}", i, 10.0 * i, 10.0 * i + 1, 2.0, i)]
    text = document([*many, span("cpu_op", "BAD", 5000.0, 1.0), *many]).encode().replace(b"BAD", b"\xff\xfe")
    path.write_bytes(text)
    trace = read(path)

    assert len(trace.events) == 801
    assert "\ufffd\ufffd" in trace.names


def test_a_chunk_that_was_refused_half_way_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was numbered before the reason is not known to Python; found by random damage."""
    monkeypatch.setattr("cyclescope.importing.parsing.packing.PIECE", 1 << 12)
    path = tmp_path / "trace.json"
    many = [event for i in range(400) for event in launched(f"kernel {i}", i, 10.0 * i, 10.0 * i + 1, 2.0, i)]
    text = document(many).replace('"name": "kernel 200"', '"name": "new 200"').replace('"ts": 2011.0', '"ts": "2011.0"')
    path.write_text(text)
    trace = read(path)

    assert [trace.name_of(i) for i in np.flatnonzero(trace.events.kind == 8)] == [
        *(f"kernel {i}" for i in range(200)), "new 200", *(f"kernel {i}" for i in range(201, 400)),
    ]  # fmt: skip
