"""The catalogue: names are matched never wrongly, figures are dense, in SI, and have a source."""

from __future__ import annotations

import itertools

import pytest

from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.machines.catalog import find_machine, known_machines

# As torch.cuda.get_device_name and /proc/cpuinfo say them.
NAMES = {
    "NVIDIA A100-SXM4-40GB": "NVIDIA A100 SXM 40 GB",
    "NVIDIA A100-SXM4-80GB": "NVIDIA A100 SXM 80 GB",
    "NVIDIA A100 80GB PCIe": "NVIDIA A100 PCIe 80 GB",
    "NVIDIA H100 80GB HBM3": "NVIDIA H100 SXM",
    "NVIDIA H100 PCIe": "NVIDIA H100 PCIe",
    "NVIDIA H200": "NVIDIA H200 SXM",
    "NVIDIA B200": "NVIDIA B200",
    "NVIDIA L40S": "NVIDIA L40S",
    "NVIDIA L4": "NVIDIA L4",
    "Tesla T4": "NVIDIA T4",
    "Tesla V100-SXM2-16GB": "NVIDIA V100 SXM2 16 GB",
    "NVIDIA GeForce RTX 4090": "NVIDIA GeForce RTX 4090",
    "AMD Instinct MI250X": "AMD Instinct MI250X, one of its two dies",
    "AMD Instinct MI300X": "AMD Instinct MI300X",
    "AMD EPYC 7763 64-Core Processor": "AMD EPYC 7763",
    "AMD EPYC 9654 96-Core Processor": "AMD EPYC 9654",
    "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz": "Intel Xeon Platinum 8380",
    "Intel(R) Xeon(R) Platinum 8480+": "Intel Xeon Platinum 8480+",
    "Apple M4 Pro": "Apple M4 Pro",
    "AWS Graviton4": "AWS Graviton4",
}
# Near misses: another machine, or one of several.
NOT_KNOWN = [
    "", "CPU", "NVIDIA", "H100", "NVIDIA H100 NVL", "NVIDIA H200 NVL", "A100", "NVIDIA A100-SXM4-80GB MIG 1g.10gb",
    "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA GeForce RTX 4090 Laptop GPU", "NVIDIA GeForce RTX 4090 D", "NVIDIA L40",
    "NVIDIA GB200", "Tesla V100", "AMD EPYC", "AMD EPYC Processor", "AMD EPYC 7R13 Processor", "Apple M4 Ultra", "Apple",
    "Intel(R) Xeon(R) Processor @ 2.30GHz", "Intel(R) Xeon(R) Platinum 8480C", "Intel(R) Xeon(R) Platinum", "arm",
]  # fmt: skip


def found(name: str) -> Ceilings:
    ceilings = find_machine(name)
    assert ceilings is not None, name
    return ceilings


@pytest.mark.parametrize(("reported", "expected"), NAMES.items())
def test_a_name_finds_its_machine(reported: str, expected: str) -> None:
    assert found(reported).machine == expected


@pytest.mark.parametrize("reported", NOT_KNOWN)
def test_a_name_that_is_another_machine_or_one_of_several_finds_none(reported: str) -> None:
    assert find_machine(reported) is None


def test_no_name_stands_in_two_rows() -> None:
    names = [(row.name, frozenset(found(name).machine for name in (row.name, *row.also))) for row in known_machines()]
    assert all(machines == {name} for name, machines in names)


def test_every_figure_has_its_source_and_no_samples() -> None:
    for row in known_machines():
        ceilings = row.ceilings
        figures = [p.flops_per_s for p in ceilings.products] + [b.bytes_per_s for b in ceilings.bandwidths]
        assert figures, row.name
        assert ceilings.origin is Origin.DATASHEET
        for figure in figures:
            assert "https://" in figure.source, row.name
            assert figure.n == 0
            assert figure.low == figure.value == figure.high > 0


@pytest.mark.parametrize(
    ("name", "bfloat16", "bytes_per_s"),
    # aiconfigurator's system files (Apache-2.0), NVIDIA: dense tensor-core FLOPs and memory bandwidth.
    [("NVIDIA A100-SXM4-80GB", 312e12, 2.039e12), ("NVIDIA H100 80GB HBM3", 989e12, 3.35e12)],
)
def test_figures_agree_with_an_independent_record(name: str, bfloat16: float, bytes_per_s: float) -> None:
    peak = found(name).peak("bfloat16", 16)
    memory = found(name).bandwidth(10**12, 16)
    assert peak is not None
    assert memory is not None
    assert peak.value == pytest.approx(bfloat16, rel=0.02)
    assert memory.bytes_per_s.value == pytest.approx(bytes_per_s, rel=0.02)


def test_narrower_types_are_not_slower_and_none_is_more_than_twice_the_next_wider() -> None:
    """A figure "with sparsity" that slipped in would be twice too high."""
    order = ("tfloat32", "bfloat16", "float8_e4m3fn")
    for row in known_machines():
        peaks = [peak.value for dtype in order if (peak := row.ceilings.peak(dtype, 0)) is not None]
        for wide, narrow in itertools.pairwise(peaks):
            assert wide <= narrow <= 2.1 * wide, row.name


def test_the_peak_of_a_processor_is_cores_times_clock_times_flops_per_cycle() -> None:
    epyc = found("AMD EPYC 9654 96-Core Processor")
    one, some, all_cores = (epyc.peak("float32", threads) for threads in (1, 4, 96))
    assert one is not None
    assert some is not None
    assert all_cores is not None
    assert one.value == pytest.approx(3.7e9 * 32)
    assert some.value == pytest.approx(4 * 3.7e9 * 32)
    assert all_cores.value == pytest.approx(96 * 3.7e9 * 32)
    assert str(all_cores.remark).startswith("96 cores × 3.70 GHz × 32 FLOPs a cycle; Zen 4: ")


def test_what_a_maker_does_not_state_is_unknown() -> None:
    apple = found("Apple M2")
    assert apple.peak("float32", 8) is None
    assert found("Tesla T4").peak("bfloat16", 0) is None
