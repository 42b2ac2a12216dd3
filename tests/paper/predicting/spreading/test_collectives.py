"""How long collectives take: fitted ceilings, closed forms of rings, and what is unknown."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cyclescope.core.ceilings import Figure
from cyclescope.core.collectives import (
    Collective,
    CollectiveCeiling,
    CollectiveKind,
    CollectivePiece,
    Interconnect,
    collective_time,
    devices_of_host,
)
from cyclescope.machines.catalog import machines_like
from cyclescope.predicting.spreading.collective_fit import fit_collective

LINK = Interconnect("link", 8, Figure.stated(100e9, "a datasheet"), Figure.stated(1000.0, "a datasheet"))
NETWORK = Interconnect("network", 0, Figure.stated(10e9, "a datasheet"), Figure.stated(5000.0, "a datasheet"))


def _asked(kind: CollectiveKind, ranks: int, size: int, hosts: int = 1) -> Collective:
    return Collective(0, kind, ranks, size, hosts)


def _ns(kind: CollectiveKind, ranks: int, size: int, hosts: int = 1) -> float:
    time = collective_time((), (LINK, NETWORK), _asked(kind, ranks, size, hosts))
    assert time is not None
    return time.ns


def test_a_planted_knee_is_found_and_sizes_between_are_predicted() -> None:
    rng = np.random.default_rng(3)
    sizes = np.unique(np.geomspace(2**11, 2**26, 200).astype(int))
    true = np.where(sizes < 2**18, 10_000 + 0.02 * sizes, 14_000 + 0.005 * sizes)
    noisy = true * np.exp(rng.normal(0, 0.01, len(sizes)))
    ceiling = fit_collective(CollectiveKind.ALL_REDUCE, 4, 1, sizes[::2].tolist(), noisy[::2].tolist(), "planted")
    said = np.asarray([ceiling.piece(s).latency_ns + s * ceiling.piece(s).ns_per_byte for s in sizes[1::2].tolist()])
    assert float(np.abs(said / true[1::2] - 1).mean()) < 0.01
    assert ceiling.piece(2**24).ns_per_byte == pytest.approx(0.005, rel=0.05)
    assert ceiling.piece(2**12).latency_ns == pytest.approx(10_000, rel=0.05)
    low, high = noisy[1::2] / said, [math.exp(ceiling.piece(s).spread) for s in sizes[1::2].tolist()]
    assert float(((low < high) & (low > 1 / np.asarray(high))).mean()) > 0.8, "intervals hold what was kept out"


def test_too_few_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="ten sizes"):
        fit_collective(CollectiveKind.SEND, 2, 1, [1, 2, 3], [1, 2, 3], "")


@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_rings_have_their_closed_form(ranks: int) -> None:
    size = 10**8
    assert _ns(CollectiveKind.ALL_REDUCE, ranks, size) == pytest.approx(
        2 * (ranks - 1) * (1000 + size / ranks / 100e9 * 1e9)
    )
    assert _ns(CollectiveKind.ALL_GATHER, ranks, size) == pytest.approx(
        (ranks - 1) * (1000 + size / ranks / 100e9 * 1e9)
    )
    assert _ns(CollectiveKind.SEND, 2, size) == pytest.approx(1000 + size / 100)


def test_across_hosts_each_device_sends_its_share_over_the_network() -> None:
    size = 10**8
    inside, between = 14 * (1000 + size / 8 / 100), 2 * (5000 + size / 8 / 2 / 10)
    assert _ns(CollectiveKind.ALL_REDUCE, 16, size, hosts=2) == pytest.approx(inside + between)


def test_without_a_network_nothing_is_said_of_several_hosts() -> None:
    assert collective_time((), (LINK,), _asked(CollectiveKind.SEND, 2, 8, hosts=2)) is None
    assert collective_time((), (), _asked(CollectiveKind.ALL_REDUCE, 4, 8)) is None


def test_one_rank_sends_nothing() -> None:
    assert _ns(CollectiveKind.ALL_REDUCE, 1, 10**9) == 0


def test_other_numbers_of_ranks_are_scaled_as_rings_are() -> None:
    measured = CollectiveCeiling(
        CollectiveKind.ALL_REDUCE, 2, 1, (CollectivePiece(0, 2000.0, 0.01, 0.1),), 100, "probe"
    )
    time = collective_time((measured,), (LINK,), _asked(CollectiveKind.ALL_REDUCE, 4, 10**6))
    assert time is not None
    assert time.ns == pytest.approx(3 * 2000 + 1.5 * 0.01 * 10**6)
    assert time.spread > 0.1, "what was not measured is less certain"
    assert time.remark
    same = collective_time((measured,), (), _asked(CollectiveKind.ALL_REDUCE, 2, 10**6))
    assert same is not None
    assert (same.ns, same.remark) == (2000 + 10_000, "")


def test_what_was_measured_goes_before_a_datasheet() -> None:
    h100 = machines_like("H100 SXM")[0].ceilings
    asked = _asked(CollectiveKind.ALL_REDUCE, 8, 2**25)
    measured = collective_time(h100.collectives, h100.interconnects, asked)
    bound = collective_time((), h100.interconnects, asked)
    assert measured is not None
    assert bound is not None
    assert bound.ns < measured.ns < 2 * bound.ns, (
        "no library is faster than its wires, and a large message nearly as fast"
    )
    assert math.isnan(bound.spread)
    assert devices_of_host(h100.collectives, h100.interconnects) == 8
