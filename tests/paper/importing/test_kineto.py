"""A trace of the PyTorch profiler is read to columns, every event in its place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cyclescope.importing.reading import read
from cyclescope.importing.trace import Kind, Lane, Place, Trace
from importing.kineto_text import document, events, span


def read_text(folder: Path, text: str) -> Trace:
    path = folder / "trace.json"
    path.write_text(text, encoding="utf-8")
    return read(path)


def names_of(trace: Trace, kind: Kind) -> list[str]:
    return [trace.name_of(i) for i in range(len(trace.events)) if trace.events.kind[i] == kind]


def test_every_event_is_there_in_order_of_time(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document())

    assert trace.format == "kineto"
    assert [trace.name_of(i) for i in range(len(trace.events))] == [
        "ProfilerStep#1", "model.py(3): forward", "nn.Module: Linear_0", "aten::mm", "cudaLaunchKernel", "sgemm", "orphan",
    ]  # fmt: skip
    assert trace.events.begin_ns.tolist() == [0, 1500, 2000, 3250, 5000, 10_000, 50_000]
    assert trace.events.duration_ns.tolist() == [100_000, 90_000, 80_000, 20_125, 2000, 30_000, 5000]
    assert (trace.start_ns, trace.span_ns) == (1_000_000, 100_000)


def test_kinds_ids_and_details_are_those_of_the_file(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document())
    kinds = [Kind(k) for k in trace.events.kind.tolist()]

    assert kinds == [Kind.ANNOTATION, Kind.PYTHON, Kind.MODULE, Kind.OPERATION, Kind.RUNTIME, Kind.KERNEL, Kind.KERNEL]
    assert trace.events.correlation.tolist() == [-1, -1, -1, -1, 77, 77, 9]
    assert trace.events.external.tolist() == [1, -1, -1, 2, 2, 2, -1]
    operation = trace.details[int(trace.events.detail[3])]
    assert operation.inputs == ((2, 8), (8, 4))
    assert operation.dtypes == ("float", "float")
    assert operation.strides == ((8, 1), (4, 1))
    assert trace.details[int(trace.events.detail[2])].others == {"Python module id": 5}
    assert trace.details[int(trace.events.detail[5])].others == {"grid": [1, 1, 1], "block": [128, 1, 1]}


def test_lanes_are_threads_and_streams_with_their_titles(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document())

    assert set(trace.lanes) == {
        Lane(0, Place.HOST, "10", "11", process_title="python"),
        Lane(0, Place.DEVICE, "0", "7", title="stream 7"),
    }


def test_process_0_on_the_host_is_not_device_0(tmp_path: Path) -> None:
    """ROCm's profiler writes Python calls of process 0, thread 0, and kernels of device 0, stream 0."""
    both = [span("python_function", "f", 1.0, 9.0, (0, 0)), span("kernel", "k", 2.0, 3.0, (0, 0), correlation=1)]
    trace = read_text(tmp_path, document(both))

    assert [lane.place for lane in trace.lanes] == [Place.HOST, Place.DEVICE]
    assert trace.events.lane.tolist() == [0, 1]


def test_arrows_and_memory_are_kept_beside_the_events(tmp_path: Path) -> None:
    trace = read_text(tmp_path, document())
    flows, counters = trace.flows, trace.counters

    assert (flows.begin_ns.tolist(), flows.end_ns.tolist()) == ([5000], [10_000])
    assert trace.lanes[flows.from_lane[0]].place is Place.HOST
    assert trace.lanes[flows.to_lane[0]].place is Place.DEVICE
    amounts = dict(zip((trace.names[s] for s in counters.series), counters.value.tolist(), strict=True))
    assert amounts == {
        "Bytes on device 1:0": 512.0, "Total Allocated on device 1:0": 1024.0, "Total Reserved on device 1:0": 2048.0,
    }  # fmt: skip


def test_facts_about_the_run_are_kept_and_the_environment_is_not(tmp_path: Path) -> None:
    text = document(
        distributedInfo={"backend": "nccl", "rank": 3, "world_size": 8}, metadata={"env": {"TOKEN": "secret"}}
    )
    trace = read_text(tmp_path, text)

    assert trace.properties == {"device 0": "NVIDIA H100", "backend": "nccl", "rank": "3", "world_size": "8"}
    assert trace.ranks == (3,)


@pytest.mark.parametrize("base", [1_767_189_312_000_000_000, 0])
def test_the_clock_of_the_world_is_known_where_the_trace_gives_it(tmp_path: Path, base: int) -> None:
    trace = read_text(tmp_path, document(baseTimeNanoseconds=base))

    assert (trace.start_ns, trace.epoch) == (base + 1_000_000, base > 0)


def test_microseconds_since_1970_keep_their_nanoseconds(tmp_path: Path) -> None:
    """They need 61 bits, and a float has 53."""
    text = document([span("cpu_op", "a", 1, 1.0), span("cpu_op", "b", 2, 1.0)])
    text = text.replace('"ts": 1,', '"ts": 1712195495519689.047,').replace('"ts": 2,', '"ts": 1712195495519695.812,')
    trace = read_text(tmp_path, text)

    assert trace.start_ns == 1_712_195_495_519_689_047
    assert trace.events.begin_ns.tolist() == [0, 6765]


def test_older_names_of_categories_are_known(tmp_path: Path) -> None:
    old = [
        span("Operator", "aten::mm", 1.0, 5.0, **{"external id": 4}),
        span("Runtime", "cudaLaunchKernel", 2.0, 1.0, **{"external id": 4, "correlation": 8}),
        span("Kernel", "sgemm", 4.0, 1.0, (0, 7), **{"external id": 4, "correlation": 8}),
        span("Memcpy", "Memcpy HtoD", 6.0, 1.0, (0, 7), correlation=9),
    ]
    trace = read_text(tmp_path, document(old))

    assert [Kind(k) for k in trace.events.kind.tolist()] == [Kind.OPERATION, Kind.RUNTIME, Kind.KERNEL, Kind.COPY]
    assert trace.events.external.tolist() == [4, 4, 4, -1]


def test_a_packed_file_gives_what_the_plain_one_gives(tmp_path: Path) -> None:
    plain = read_text(tmp_path, document())
    packed_file = tmp_path / "trace.json.gz"
    packed_file.write_bytes(gzip.compress(document().encode()))
    packed = read(packed_file)

    assert packed.reading.sources[0].packing == "gzip"
    assert packed.names == plain.names
    assert packed.events.begin_ns.tolist() == plain.events.begin_ns.tolist()


def test_what_stands_in_the_file_is_counted(tmp_path: Path) -> None:
    source = read_text(tmp_path, document()).reading.sources[0]

    assert (source.records, source.metadata, source.arrows) == (len(events()), 2, 2)
    assert not source.cut
    assert source.recovered == source.text == source.size


def test_facts_behind_the_events_are_read_too(tmp_path: Path) -> None:
    text = (
        document().removesuffix('"traceName": "trace.json"\n}') + '"distributedInfo": {"rank": 2, "backend": "gloo"}}'
    )
    trace = read_text(tmp_path, text)

    assert trace.ranks == (2,)
    assert trace.properties["backend"] == "gloo"
