"""Broken traces: every whole event is read, what is lost is counted, what is absurd is refused with one message and little memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cyclescope.core.errors import CyclescopeError, RunFileError
from cyclescope.importing.counts import Defect
from cyclescope.importing.import_trace import import_trace
from cyclescope.importing.reading import read
from cyclescope.importing.trace import Trace
from importing.kineto_text import document, events, launched, span

MANY = [
    event for i in range(50) for event in launched(f"kernel {i}", i + 1, 1000.0 + 10 * i, 1003.0 + 10 * i, 2.0, i + 1)
]


def read_bytes(folder: Path, data: bytes, name: str = "trace.json") -> Trace:
    path = folder / name
    path.write_bytes(data)
    return read(path)


def read_text(folder: Path, text: str) -> Trace:
    return read_bytes(folder, text.encode())


def names_of(trace: Trace) -> list[str]:
    return [trace.name_of(i) for i in range(len(trace.events))]


def test_a_cut_file_gives_every_whole_event_at_every_length(tmp_path: Path) -> None:
    text = document(MANY[:40]).encode()
    lines = text.split(b"\n")
    ends = [
        end
        for n, line in enumerate(lines)
        if line.startswith(b"  {")
        for end in [len(b"\n".join(lines[: n + 1]).rstrip(b","))]
    ]
    closed = text.index(b"\n  ],") + 4
    for length in range(text.index(b"traceEvents"), len(text), 31):
        whole = bisect_right(ends, length)
        if not whole:
            with pytest.raises(RunFileError):
                read_bytes(tmp_path, text[:length])
            continue
        source = read_bytes(tmp_path, text[:length]).reading.sources[0]
        assert (source.records, source.cut) == (whole, length < closed), length
        assert 0 < source.recovered <= source.text == length


def test_a_cut_packed_file_gives_what_was_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(document(MANY * 20).encode())
    trace = read_bytes(tmp_path, packed[: len(packed) // 2], "trace.json.gz")
    source = trace.reading.sources[0]

    assert source.cut
    assert 100 < len(trace.events) < 2000
    assert trace.reading.count(Defect.CUT) == 1


def test_a_damaged_packed_file_gives_what_stands_before_the_damage(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(document(MANY * 20).encode()))
    packed[len(packed) // 2] ^= 0xFF
    trace = read_bytes(tmp_path, bytes(packed), "trace.json.gz")

    assert trace.reading.sources[0].cut or trace.reading.count(Defect.BROKEN) > 0
    assert len(trace.events) > 100


def test_quotes_and_control_characters_in_names_are_mended(tmp_path: Path) -> None:
    text = document([span("cpu_op", "NAME", 1.0, 2.0), span("cpu_op", "after", 5.0, 1.0, **{"External id": 3})])
    trace = read_bytes(tmp_path, text.encode().replace(b"NAME", b'say "hi", then\tgo \\o/ \x01'))

    assert names_of(trace) == ['say "hi", then\tgo \\o/ \x01', "after"]
    assert trace.events.duration_ns.tolist() == [2000, 1000]
    assert trace.events.external.tolist() == [-1, 3]
    assert trace.reading.count(Defect.ESCAPED) == 1
    assert not trace.reading.sources[0].cut


def test_one_broken_event_costs_only_itself(tmp_path: Path) -> None:
    text = document(MANY).replace('"kernel 7", "pid": 0', '"kernel 7" "pid" 0')
    trace = read_text(tmp_path, text)

    assert len(trace.events) == 99
    assert "kernel 7" not in names_of(trace)
    assert trace.reading.count(Defect.BROKEN) == 1
    assert trace.reading.count(Defect.NO_WORK) == 1, "its launch is there, its work is not"
    source = trace.reading.sources[0]
    assert source.text - 300 < source.recovered < source.text


@pytest.mark.parametrize(
    ("duration", "defect"),
    [
        ("-3.5", Defect.NEGATIVE),
        ("NaN", Defect.NOT_A_NUMBER),
        ("null", Defect.NOT_A_NUMBER),
        ("Infinity", Defect.NOT_A_NUMBER),
        ('"x"', Defect.NOT_A_NUMBER),
    ],
)
def test_durations_that_cannot_be_are_zero_and_counted(tmp_path: Path, duration: str, defect: Defect) -> None:
    text = document([span("cpu_op", "a", 1.0, 77.0), span("cpu_op", "b", 2.0, 1.0)]).replace(
        '"dur": 77.0', f'"dur": {duration}'
    )
    trace = read_text(tmp_path, text)

    assert names_of(trace) == ["a", "b"]
    assert trace.events.duration_ns.tolist() == [0, 1000]
    assert trace.reading.count(defect) == 1


def test_times_as_texts(tmp_path: Path) -> None:
    text = document([span("cpu_op", "a", 10.5, 2.0), span("cpu_op", "b", 12.0, 1.25)])
    trace = read_text(tmp_path, text.replace('"ts": 10.5', '"ts": "10.5"').replace('"dur": 1.25', '"dur": "1.25"'))

    assert trace.events.begin_ns.tolist() == [0, 1500]
    assert trace.events.duration_ns.tolist() == [2000, 1250]
    assert trace.reading.count(Defect.TEXT_TIME) == 2


def test_times_in_nanoseconds_since_1970_are_told_by_their_size(tmp_path: Path) -> None:
    text = document([span("cpu_op", "a", 1, 5000), span("cpu_op", "b", 2, 700)])
    trace = read_text(
        tmp_path,
        text.replace('"ts": 1,', '"ts": 1712195495519689047,').replace('"ts": 2,', '"ts": 1712195495519690048,'),
    )

    assert trace.events.begin_ns.tolist() == [0, 1001]
    assert trace.events.duration_ns.tolist() == [5000, 700]
    assert trace.reading.count(Defect.NANOSECONDS) == 1


@pytest.mark.parametrize("stray_us", [0.0, 5e9, 4e15])
def test_a_stray_time_is_dropped_and_does_not_stretch_the_trace(tmp_path: Path, stray_us: float) -> None:
    shifted = [event | {"ts": event["ts"] + 9e9} for event in MANY]
    trace = read_text(tmp_path, document([*shifted, span("kernel", "stray", stray_us, 2.0)]))

    assert trace.span_ns < 10**6
    assert "stray" not in names_of(trace)
    assert trace.reading.count(Defect.OFF_CLOCK) == 1


def test_a_clock_that_was_set_keeps_both_halves(tmp_path: Path) -> None:
    later = [event | {"ts": event["ts"] + 7200e6} for event in MANY]
    trace = read_text(tmp_path, document([*MANY, *later]))

    assert len(trace.events) == 200
    assert trace.reading.count(Defect.JUMP) == 1
    assert trace.reading.count(Defect.OFF_CLOCK) == 0


def test_an_absurd_duration_is_cut_at_the_end_of_the_trace(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document([*MANY, span("cpu_op", "forever", 1001.0, 1e15)]))

    assert trace.span_ns < 10**6
    assert trace.reading.count(Defect.TOO_LONG) == 1


def test_launches_that_share_an_id_are_counted(tmp_path: Path) -> None:
    again = [span("cuda_runtime", "cudaLaunchKernel", 900.0, 1.0, correlation=1), *MANY]

    assert read_text(tmp_path, document(again)).reading.count(Defect.DUPLICATE) == 1


def test_work_before_its_launch_is_counted(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document(launched("k", 5, call_us=20.0, begin_us=10.0, duration_us=1.0, external=1)))

    assert trace.reading.count(Defect.EARLY) == 1


def test_work_of_a_captured_graph_is_counted(tmp_path: Path) -> None:
    graph = [span("cuda_runtime", "cudaGraphLaunch", 1.0, 5.0, correlation=4)]
    graph += [span("kernel", f"k{i}", 10.0 + i, 0.5, (0, 7), correlation=4) for i in range(3)]

    assert read_text(tmp_path, document(graph)).reading.count(Defect.IN_GRAPH) == 3


@pytest.mark.parametrize(
    "change", [lambda t: t, lambda t: " \n\t" + t, lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n")]
)
def test_white_space_and_a_mark_of_byte_order_do_not_matter(tmp_path: Path, change: Callable[[str], str]) -> None:
    assert len(read_text(tmp_path, change(document())).events) == 7


def test_braces_in_names_are_no_borders(tmp_path: Path) -> None:
    odd = [
        span("cpu_op", f'a}}, {{"ph": "X"}} ]{i}', float(i), 0.5, nested=[{"a": 1}, {"b": [{"c": 2}, {}]}])
        for i in range(40)
    ]
    trace = read_text(tmp_path, document(odd))

    assert names_of(trace) == [event["name"] for event in odd]


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(CyclescopeError) as refused:
            work()
        assert refused.value.way_out
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def packed_repeats(head: bytes, piece: bytes, times: int) -> bytes:
    out = io.BytesIO()
    packer = zlib.compressobj(9, wbits=31)
    out.write(packer.compress(head))
    for _ in range(times):
        out.write(packer.compress(piece))
    out.write(packer.flush())
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        packed_repeats(b'{"traceEvents": [', b" " * 2**20, 600),
        packed_repeats(b'{"traceEvents": [{"name": "', b"a" * 2**20, 600),
        packed_repeats(b'{"traceEvents": [{"a": ', b"[" * 2**20, 100),
        packed_repeats(b'{"a": ', b'{"a":' * 2**18, 100),
        packed_repeats(b"", b"\x00" * 2**20, 600),
    ],
    ids=["white space", "one name", "lists in lists", "objects in objects", "zeros"],
)
def test_bombs_are_refused_with_bounded_memory(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(data)

    assert peak_of(lambda: read(path)) < 400 * 2**20


def test_depth_is_refused_or_counted_and_never_overflows(tmp_path: Path) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    trace = read_text(tmp_path, document([*MANY]).replace('"kernel 3"', f'"kernel 3", "deep": {deep}'))

    assert len(trace.events) == 99
    assert trace.reading.count(Defect.BROKEN) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes changed, removed, repeated, inserted, anywhere: a trace or one clear error."""
    text = bytearray(document(MANY[:24] + events()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        length = data.draw(st.sampled_from([1, 1, 2, 7, 40, 400]))
        new = data.draw(
            st.sampled_from(
                [
                    b"",
                    b'"',
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b",",
                    b":",
                    b"\\",
                    b"\x00",
                    b"\xff",
                    b"-",
                    b"9" * 30,
                    b"NaN",
                    b'{"ph":"X"},',
                ]
            )
        )
        text[at : at + length] = new
    _read_or_refused(tmp_path_factory, bytes(text))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
@example(b"\x1f\x8b")
@example(b"\x1f\x8b\x08\x00")
@example(b"\x28\xb5\x2f\xfd")
@example(b"[{")
@example(b'[{"ph":"X","ts":1e999,"dur":-1e999,"name":{},"pid":[],"tid":null,"args":7}]')
@example(b'[{"ph":"X","ts":1,"dur":1,"name":"a","id":{},"id2":3},{}]')
@example(b'{"traceEvents":[{"ph":"B","ts":9e18},{"ph":"E","ts":-9e18}]}')
@example(b'{"workload_graph":[{"Id":[],"NodeType":{},"runtime":"9"}]}')
@example(b'{"report_type":"detailed","detailed_performance":[{"nodes":[{"name":[],"real_time":{}}]}]}')
@example(b"layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)\na;b;c;d;nan;inf\n")
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    _read_or_refused(tmp_path_factory, data)


def _read_or_refused(factory: pytest.TempPathFactory, data: bytes) -> None:
    path = factory.getbasetemp() / "fuzzed.json"
    path.write_bytes(data)
    try:
        trace = read(path)
    except CyclescopeError as refused:
        if not (refused.fact and refused.way_out):
            raise AssertionError("an error says what, why and the way out") from refused
        return
    events_ = trace.events
    assert (events_.duration_ns >= 0).all()
    assert (events_.begin_ns >= 0).all()
    assert (events_.lane < len(trace.lanes)).all()
    assert (events_.detail < len(trace.details)).all()
    for detail in range(len(trace.details)):
        assert trace.details[detail] is not None


def test_a_cut_file_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(document(MANY)[:-400])
    lanes = import_trace(path).samples.lanes
    assert lanes is not None
    facts = [fact for fact in lanes.facts if fact.code == "cut"]

    assert [(fact.what, 0 < fact.share < 1) for fact in facts] == [("trace.json", True)]
