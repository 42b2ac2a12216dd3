"""A file of a machine's figures: read like the catalogue, and refused where a figure is in another unit or has no source."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from cyclescope.core.errors import UsageError
from cyclescope.machines.catalog import known_machines
from cyclescope.machines.machine_file import read_machine_file
from cyclescope.machines.remarks import REMARKS

GPU = """
name = "My GPU"
memory_bytes = 80e9
bytes_per_s = 2e12
flops = { float32 = 20e12, bfloat16 = 300e12 }
source = "https://example.org/datasheet"
"""
CPU = """
name = "My processor"
cores = 16
clock_hz = 3e9
flops_per_cycle = { float32 = 32 }
flops_per_cycle_source = "manual, table 3"
bytes_per_s = 100e9
source = "STREAM, 2026-11-30"
levels = [{ level = "L2", capacity_bytes = 1e6, bytes_per_s = 900e9 }]
dispatch_ns = 900
module_call_ns = 2500
overheads_source = "cyclescope calibrate"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "machine.toml"
    path.write_text(text)
    return path


def refused(tmp_path: Path, text: str, name: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        read_machine_file(written(tmp_path, text), name)
    assert caught.value.way_out
    return str(caught.value)


def test_a_remark_may_be_a_sentence_of_ones_own(tmp_path: Path) -> None:
    peak = read_machine_file(written(tmp_path, GPU + 'remark = "half of the card"')).ceilings.peak("float32", 0)
    assert peak is not None
    assert peak.remark == "half of the card"


def test_every_remark_of_the_catalogue_is_a_code(tmp_path: Path) -> None:
    rows = tomllib.loads(resources.files("cyclescope.machines").joinpath("machines.toml").read_text(encoding="utf-8"))
    assert {row["remark"] for row in rows["machine"] if "remark" in row} <= REMARKS.keys()


def test_a_device_reads_like_a_row_of_the_catalogue(tmp_path: Path) -> None:
    found = read_machine_file(written(tmp_path, GPU))
    peak = found.ceilings.peak("bfloat16", 0)
    assert peak is not None
    assert (found.name, found.memory_bytes, found.cores, peak.value) == ("My GPU", 80_000_000_000, 0, 300e12)
    assert peak.source == "https://example.org/datasheet"
    assert found.ceilings.levels(0)[-1].bytes_per_s.value == 2e12


def test_a_processor_has_its_caches_and_what_the_engine_takes(tmp_path: Path) -> None:
    found = read_machine_file(written(tmp_path, CPU))
    peak, overheads = found.ceilings.peak("float32", 16), found.ceilings.overheads
    assert peak is not None
    assert overheads.dispatch_ns is not None
    assert overheads.module_call_ns is not None
    assert (found.cores, peak.value) == (16, 16 * 3e9 * 32)
    assert [(level.level, level.bytes_per_s.value) for level in found.ceilings.levels(16)] == [
        ("L2", 9e11),
        ("memory", 1e11),
    ]
    assert (overheads.dispatch_ns.value, overheads.module_call_ns.value, overheads.launch_ns) == (900, 2500, None)
    assert overheads.dispatch_ns.source == "cyclescope calibrate"


def test_the_catalogue_itself_is_such_a_file() -> None:
    with resources.as_file(resources.files("cyclescope.machines").joinpath("machines.toml")) as path:
        for known in known_machines():
            found = read_machine_file(path, known.name)
            assert found.memory_bytes == known.memory_bytes
            for dtype in {product.dtype for product in known.ceilings.products}:
                stated, read = known.ceilings.peak(dtype, known.cores), found.ceilings.peak(dtype, known.cores)
                assert stated is not None
                assert read is not None
                assert (stated.value, stated.origin) == (read.value, read.origin)


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        (("bytes_per_s = 2e12", "bytes_per_s = 900"), "Write bytes_per_s = 9e11 if it is 900 GB/s."),
        (("bytes_per_s = 2e12", "bytes_per_s = 3.35"), "Write bytes_per_s = 3.35e12 if it is 3.35 TB/s."),
        (("bytes_per_s = 2e12", "bytes_per_s = 50"), "Write bytes_per_s = 5e10 if it is 50 GB/s."),
        (("bytes_per_s = 2e12", 'bytes_per_s = "3.35 TB/s"'), "Write bytes_per_s = 3.35e12."),
        (("memory_bytes = 80e9", "memory_bytes = 80"), "Write memory_bytes = 8e10 if it is 80 GB."),
        (("bfloat16 = 300e12", "bfloat16 = 989.4"), "Write flops.bfloat16 = 9.894e14 if it is 989.4 TFLOP/s."),
        (("bfloat16 = 300e12", "bf16 = 300e12"), "Did you mean bfloat16?"),
        (("bfloat16 = 300e12", "bfloat61 = 300e12"), "Did you mean bfloat16?"),
        (("memory_bytes = 80e9", "memory_byte = 80e9"), "Did you mean memory_bytes?"),
        (("memory_bytes = 80e9", "bandwith = 80e9"), "Known are"),
        (('source = "https://example.org/datasheet"', ""), 'Add source = "…"'),
        (('source = "https://example.org/datasheet"', 'source = " "'), 'Add source = "…"'),
        (("memory_bytes = 80e9", "dispatch_ns = 900"), 'Add overheads_source = "…"'),
        (("memory_bytes = 80e9", "clock_hz = 3e9"), "Add flops_per_cycle"),
        (("bytes_per_s = 2e12", "bytes_per_s = true"), "Give the figure of the datasheet in B/s."),
        (("bytes_per_s = 2e12", "bytes_per_s = -2e12"), "Give the figure of the datasheet in B/s."),
        (("bytes_per_s = 2e12", "bytes_per_s = nan"), "Give the figure of the datasheet in B/s."),
        (("bytes_per_s = 2e12", "bytes_per_s = inf"), "Give the figure of the datasheet in B/s."),
        (("flops = { float32 = 20e12, bfloat16 = 300e12 }", "flops = 20e12"), "Write flops = { float32"),
        (('name = "My GPU"', ""), "Write for example: name ="),
    ],
)
def test_what_is_wrong_is_refused_with_what_it_was_meant_to_be(
    tmp_path: Path, change: tuple[str, str], meant: str
) -> None:
    assert change[0] in GPU
    assert meant in refused(tmp_path, GPU.replace(*change))


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        (("clock_hz = 3e9", "clock_hz = 3.4"), "Write clock_hz = 3.4e9 if it is 3.4 GHz."),
        (("cores = 16", "cores = 16.5"), "Give the figure of the datasheet"),
        (("cores = 16\n", ""), "Add cores"),
        (("dispatch_ns = 900", "dispatch_ns = 9e-7"), "Write dispatch_ns = 900 if it is 9e-07 s."),
        (('level = "L2", capacity_bytes = 1e6', 'level = "L2", capacity_bytes = 2'), "Write L2.capacity_bytes = 2e6 if it is 2 MB."),
        (('level = "L2"', 'level = "cache"'), "Write levels = "),
        (('level = "L2"', 'lvel = "L2"'), "Did you mean level?"),
    ],
)  # fmt: skip
def test_figures_of_a_processor_are_checked_likewise(tmp_path: Path, change: tuple[str, str], meant: str) -> None:
    assert change[0] in CPU
    assert meant in refused(tmp_path, CPU.replace(*change))


def test_of_several_machines_one_is_named(tmp_path: Path) -> None:
    both = f"[[machine]]{GPU}[[machine]]{CPU}"
    assert read_machine_file(written(tmp_path, both), "my processor").cores == 16
    assert "My GPU, My processor" in refused(tmp_path, both)
    assert "no machine 'TPU'" in refused(tmp_path, both, "TPU")


@pytest.mark.parametrize("text", ["", "machine = 3", "[[machine]]\n[[machine", "\x00", "machine = []"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read"):
            read_machine_file(path)
