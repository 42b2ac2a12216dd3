"""The files of ranks in a folder are one import: their lanes side by side on one clock."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cyclescope.core.errors import RunFileError
from cyclescope.importing.counts import Defect
from cyclescope.importing.reading import read
from importing.kineto_text import document, launched

BASE = 1_767_189_312_000_000_000


def write(path: Path, rank: int | None, shift_us: float = 0.0, base: int = BASE) -> None:
    records = launched(f"kernel of {rank}", 7, 100.0 + shift_us, 110.0 + shift_us, 5.0, 1)
    distributed = {} if rank is None else {"distributedInfo": {"rank": rank, "world_size": 2, "backend": "nccl"}}
    text = document(records, baseTimeNanoseconds=base, **distributed)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def test_ranks_stand_side_by_side_on_the_clock_of_the_world(tmp_path: Path) -> None:
    write(tmp_path / "b.json.gz", 0)
    write(tmp_path / "a.json", 1, shift_us=2.5)
    trace = read(tmp_path)
    kernels = [i for i in range(len(trace.events)) if trace.name_of(i).startswith("kernel")]

    assert trace.ranks == (0, 1)
    assert [trace.lanes[trace.events.lane[i]].rank for i in kernels] == [0, 1]
    assert trace.events.begin_ns[kernels].tolist() == [10_000, 12_500]
    assert trace.start_ns == BASE + 100_000
    assert trace.epoch
    assert [source.rank for source in trace.reading.sources] == [0, 1]
    assert trace.reading.counts == ()
    assert trace.flows.end_ns.tolist() == [10_000, 12_500]
    assert [trace.lanes[lane].rank for lane in trace.flows.to_lane] == [0, 1]
    assert [trace.details[int(trace.events.detail[i])].others["grid"] for i in kernels] == [[1, 1, 1], [1, 1, 1]]


def test_a_rank_is_known_by_the_name_of_its_file_where_the_trace_has_none(tmp_path: Path) -> None:
    write(tmp_path / "trace_rank3.json", None)
    write(tmp_path / "trace_rank-1.json", None)

    assert read(tmp_path).ranks == (1, 3)


def test_two_files_of_the_same_rank_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "one.json", 0)
    write(tmp_path / "two.json", 0)

    assert read(tmp_path).ranks == (0, 1)


def test_ranks_without_a_common_clock_each_begin_at_0(tmp_path: Path) -> None:
    write(tmp_path / "a.json", 0, base=0)
    write(tmp_path / "b.json", 1, base=10**15)
    trace = read(tmp_path)

    assert trace.reading.count(Defect.NO_CLOCK) == 4
    assert sorted(trace.events.begin_ns.tolist()) == [0, 0, 10_000, 10_000]
    assert not trace.epoch


def test_what_is_no_trace_is_passed_over_and_named(tmp_path: Path) -> None:
    write(tmp_path / "rank0.json", 0)
    (tmp_path / "execution_details.json").write_text('[{"file": "x", "batch_size": 4}]')
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "below").mkdir()
    trace = read(tmp_path)

    assert trace.reading.skipped == ("execution_details.json",)
    assert trace.ranks == (0,)


def test_a_folder_without_any_trace_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")

    with pytest.raises(RunFileError, match="at least one trace"):
        read(tmp_path)


def test_traces_of_different_formats_in_a_folder_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.json", 0)
    (tmp_path / "b.json").write_text('[{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 1, "dur": 2}]')

    with pytest.raises(RunFileError, match="one format"):
        read(tmp_path)


def test_a_file_packed_with_zstandard_gives_what_the_plain_one_gives(tmp_path: Path) -> None:
    zstd = pytest.importorskip("backports.zstd", reason="the extra `import`")
    text = document(launched("k", 1, 10.0, 20.0, 1.0, 1) * 500).encode()
    (tmp_path / "plain.json").write_bytes(text)
    (tmp_path / "packed.json.zst").write_bytes(zstd.compress(text[:900]) + zstd.compress(text[900:]))
    plain, packed = read(tmp_path / "plain.json"), read(tmp_path / "packed.json.zst")

    assert packed.reading.sources[0].packing == "zstandard"
    assert packed.events.begin_ns.tolist() == plain.events.begin_ns.tolist()
    whole = (tmp_path / "packed.json.zst").read_bytes()
    (tmp_path / "cut.json.zst").write_bytes(whole[: len(whole) * 2 // 3])
    cut = read(tmp_path / "cut.json.zst")
    assert cut.reading.sources[0].cut
    assert 0 < len(cut.events) < len(plain.events)
