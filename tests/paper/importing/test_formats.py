"""Every format is recognised from its content, and read to what its writer meant. The samples are real, cut to what fits a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyclescope.core.errors import RunFileError
from cyclescope.importing.counts import Defect
from cyclescope.importing.reading import read
from cyclescope.importing.trace import Kind, Place, Trace

TRACES = Path(__file__).parents[2] / "data" / "traces"


def kinds_of(trace: Trace) -> dict[str, int]:
    kinds = trace.events.kind.tolist()
    return {Kind(kind).name: kinds.count(kind) for kind in set(kinds)}


def detail_of(trace: Trace, name: str) -> object:
    at = next(i for i in range(len(trace.events)) if trace.name_of(i) == name)
    return trace.details[int(trace.events.detail[at])]


def test_a_profile_of_onnx_runtime() -> None:
    """Three runs of a BERT of two layers, recorded with ONNX Runtime 1.32."""
    trace = read(TRACES / "onnxruntime.json.gz")

    assert trace.format == "onnxruntime"
    assert kinds_of(trace) == {"SPAN": 2, "ANNOTATION": 6, "OPERATION": 222}
    gather = detail_of(trace, "node_embedding")
    assert gather.inputs == ((1000, 64), (2, 16))  # type: ignore[attr-defined]
    assert gather.dtypes == ("float", "int64")  # type: ignore[attr-defined]
    assert gather.outputs == ((2, 16, 64),)  # type: ignore[attr-defined]
    assert gather.others["op_name"] == "Gather"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("file", "total_ms"),
    [("openvino-average.csv", 2.483), ("openvino-detailed.csv", 1.617), ("openvino-detailed.json.gz", 1.152)],
)
def test_counters_of_openvino(file: str, total_ms: float) -> None:
    """The sum is the one that benchmark_app writes below its table."""
    trace = read(TRACES / file)

    assert trace.format == "openvino"
    assert kinds_of(trace) == {"OPERATION": 44}
    assert int(trace.events.duration_ns.sum()) == round(total_ms * 1e6)
    assert trace.span_ns == round(total_ms * 1e6)
    assert (trace.reading.count(Defect.NOT_RUN), trace.reading.count(Defect.LAID)) == (20, 44)


@pytest.mark.parametrize("file", ["openvino-report.csv", "openvino-report.json"])
def test_a_report_of_openvino_without_counters_says_what_to_import(file: str) -> None:
    with pytest.raises(RunFileError, match="counters") as refused:
        read(TRACES / file)

    assert "beside this one" in str(refused.value.way_out)


def test_a_trace_of_jax_on_the_host() -> None:
    """Three calls of a jitted function, recorded with JAX 0.10 on a CPU."""
    trace = read(TRACES / "jax-cpu.trace.json.gz")

    assert trace.format == "jax"
    assert kinds_of(trace) == {"PYTHON": 7, "SPAN": 54, "OPERATION": 3}
    assert {lane.process_title for lane in trace.lanes} == {"/host:CPU"}
    assert trace.reading.dropped == 0


def test_a_trace_of_the_pytorch_profiler_with_modules_and_stacks() -> None:
    """A BERT of two layers on the CPU, recorded with torch 2.13, shapes, stacks, modules and memory."""
    trace = read(TRACES / "torch-cpu.json.gz")

    assert trace.format == "kineto"
    assert kinds_of(trace) == {"SPAN": 1, "INSTANT": 2, "PYTHON": 959, "ANNOTATION": 1, "MODULE": 45, "OPERATION": 315}
    assert len(trace.counters) == 288
    assert all(lane.place is Place.HOST for lane in trace.lanes)


CHROME = """[
{"ph": "B", "name": "outer", "cat": "a", "pid": 1, "tid": "main", "ts": "10"},
{"ph": "X", "name": "inner", "cat": "a", "pid": 1, "tid": "main", "ts": 12, "dur": 3, "args": {"size": 7}},
{"ph": "E", "pid": 1, "tid": "main", "ts": 20},
{"ph": "E", "pid": 1, "tid": "main", "ts": 21},
{"ph": "B", "name": "open", "pid": 1, "tid": "main", "ts": 30},
{"ph": "b", "name": "request", "cat": "async", "id": "0x1", "pid": 1, "tid": 5, "ts": 5},
{"ph": "b", "name": "request", "cat": "async", "id2": {"local": "0x2"}, "pid": 1, "tid": 5, "ts": 6},
{"ph": "e", "name": "request", "cat": "async", "id": "0x1", "pid": 1, "tid": 6, "ts": 16},
{"ph": "e", "name": "request", "cat": "async", "id2": {"local": "0x2"}, "pid": 1, "tid": 6, "ts": 26},
{"ph": "C", "name": "queue", "pid": 1, "ts": 8, "args": {"waiting": 3, "running": 1}},
{"ph": "i", "name": "moment", "pid": 1, "tid": "main", "ts": 9},
{"ph": "s", "name": "hand over", "id": 4, "pid": 1, "tid": "main", "ts": 12},
{"ph": "t", "name": "hand over", "id": 4, "pid": 1, "tid": "other", "ts": 14},
{"ph": "f", "name": "hand over", "id": 4, "pid": 1, "tid": "main", "ts": 19},
{"ph": "?", "name": "who knows", "pid": 1, "tid": 1, "ts": 19},
{"ph": "X", "name": "timeless", "pid": 1, "tid": "main"},
"""


def test_any_trace_of_chrome(tmp_path: Path) -> None:
    """Beginnings and ends apart, ids as texts, times as texts, no bracket at the end: all that the format allows."""
    path = tmp_path / "trace.json"
    path.write_text(CHROME)
    trace = read(path)
    spans = {
        (trace.name_of(i), int(trace.events.begin_ns[i]), int(trace.events.duration_ns[i]))
        for i in range(len(trace.events))
    }

    assert trace.format == "chrome"
    assert spans == {
        ("request", 0, 11_000), ("request", 1000, 20_000), ("moment", 4000, 0), ("outer", 5000, 10_000), ("inner", 7000, 3000),
    }  # fmt: skip
    assert {lane.thread: lane.asynchronous for lane in trace.lanes} == {
        "main": False,
        "async": True,
        "-1": False,
        "other": False,
    }
    assert [trace.names[s] for s in trace.counters.series] == ["waiting", "running"]
    assert (trace.flows.begin_ns.tolist(), trace.flows.end_ns.tolist()) == ([7000, 9000], [9000, 14_000])
    assert trace.details[int(trace.events.detail[[trace.name_of(i) for i in range(5)].index("inner")])].others == {
        "size": 7
    }
    counted = {count.defect: count.events for count in trace.reading.counts}
    assert counted == {
        Defect.NO_BEGIN: 1, Defect.NO_END: 1, Defect.UNKNOWN_PHASE: 1, Defect.NO_TIME: 1, Defect.TEXT_TIME: 1, Defect.UNSORTED: 0,
    } | {d: n for d, n in counted.items() if d is Defect.UNSORTED}  # fmt: skip
    assert not trace.reading.sources[0].cut


CHAKRA = """{"attr": [{"name": "schema", "stringVal": "1.0.1"}]}{
  "id": "1", "name": "aten::mm", "type": "COMP_NODE", "durationMicros": "30",
  "inputs": {"values": "[]", "shapes": "[[2, 8], [8, 4]]", "types": "['Tensor(float)', 'Tensor(float)']"},
  "attr": [{"name": "is_cpu_op", "boolVal": true}, {"name": "tid", "int64Val": "1"}]
}{
  "id": "2", "name": "sgemm", "type": "COMP_NODE", "durationMicros": "5", "dataDeps": ["1"],
  "attr": [{"name": "is_cpu_op", "boolVal": false}, {"name": "stream", "int64Val": "7"}]
}{
  "id": "3", "name": "ncclAllReduce", "type": "COMM_COLL_NODE", "durationMicros": "9", "ctrlDeps": ["2"],
  "attr": [{"name": "is_cpu_op", "boolVal": false}, {"name": "stream", "int64Val": "20"}]
}"""


def test_an_execution_trace_of_chakra(tmp_path: Path) -> None:
    """As its converter writes it: objects behind one another, numbers as texts, shapes as the text of a Python list, no beginnings."""
    path = tmp_path / "chakra.0.json"
    path.write_text(CHAKRA)
    trace = read(path)

    assert trace.format == "chakra"
    assert kinds_of(trace) == {"OPERATION": 1, "KERNEL": 2}
    assert trace.events.begin_ns.tolist() == [0, 30_000, 35_000]
    assert trace.events.external.tolist()[:2] == [1, 1]
    assert trace.details[int(trace.events.detail[0])].inputs == ((2, 8), (8, 4))
    assert trace.reading.count(Defect.LAID) == 3


def test_an_execution_trace_without_times_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "et.json"
    path.write_text('{"schema": "1.0.1", "pid": 1, "nodes": [{"name": "aten::mm", "id": 1}]}')

    with pytest.raises(RunFileError, match="must have times"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("   \n", "known format"),
        ('{"a": 1}', "known format"),
        ('[{"cols": [], "rows": []}]', "known format"),
        ("[1, 2, 3]", "at least one whole event"),
        ('{"traceEvents": []}', "at least one whole event"),
        ('{"traceEvents": [', "at least one whole event"),
        ("\x00\x01\x02", "known format"),
        ("PK\x03\x04", "known format"),
        ("name;time\na;1\n", "known format"),
    ],
)
def test_what_is_no_trace_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(RunFileError, match=message) as refused:
        read(path)

    assert refused.value.way_out


def test_a_file_that_is_not_there_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(RunFileError, match="cannot be read"):
        read(tmp_path / "nothing.json")


def test_counters_with_a_time_that_cannot_be_are_read(tmp_path: Path) -> None:
    """Such a sum of durations is taken for nanoseconds since 1970, and there is no text to read it from again; found by random damage."""
    path = tmp_path / "report.csv"
    header = "layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)"
    path.write_text(f"{header}\na;EXECUTED;MatMul;ref;1e15;1.0\nb;EXECUTED;MatMul;ref;2.0;2.0\n")

    assert read(path).format == "openvino"
