"""Predictions over a grid, and of changed machines: each point is that of `predict`, and what fits is what memory says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cyclescope
from cyclescope.backends.base import Request
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.explaining.memory import memory
from cyclescope.predicting import sweep as sweeping
from cyclescope.predicting.settings import Settings, parse_setting, parse_sweep
from cyclescope.predicting.sweep import sweep
from cyclescope.predicting.sweep_rows import Limit, Sweep
from cyclescope.predicting.sweep_singly import Singly
from cyclescope.predicting.target import target
from cyclescope.tracing import families

DEVICE = "NVIDIA H100 PCIe"
TINY = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "vocab_size": 200,
    "num_attention_heads": 8, "num_key_value_heads": 2, "max_position_embeddings": 512,
}  # fmt: skip
WINDOW = TINY | {"model_type": "mistral", "sliding_window": 64}


def configured(tmp_path: Path, config: dict[str, object]) -> str:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return str(tmp_path / "config.json")


def swept(model: str, *sweeps: str, settings: tuple[str, ...] = (), **request: int) -> Sweep:
    asked = Request(model=model, dtype="bfloat16", device="cuda", **request)  # type: ignore[arg-type]
    chosen = Settings(tuple(map(parse_setting, settings)))
    return sweep(asked, target(DEVICE, "torch"), tuple(map(parse_sweep, sweeps)), chosen)


def one(model: str, *settings: str, **options: int) -> Cycle:
    chosen = Settings(tuple(map(parse_setting, settings)))
    return cyclescope.predict(model, dtype="bfloat16", on=DEVICE, what_if=chosen, **options)  # type: ignore[arg-type]


def test_every_point_of_a_grid_is_the_prediction_of_that_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = configured(tmp_path, TINY)
    found = swept(model, "batch=1,3,40", "cache=9,200", cache_length=9)
    assert [[change.value for change in row.settings] for row in found.rows] == [
        [1, 9], [1, 200], [3, 9], [3, 200], [40, 9], [40, 200],
    ]  # fmt: skip
    monkeypatch.setattr(families, "families_of", None)  # the single points are traced
    for row in (found.rows[1], found.rows[4]):
        batch, cache = (int(change.value) for change in row.settings)
        single = one(model, batch=batch, cache_length=cache)
        assert row.wall.value_ns == np.median(single.samples.uninstrumented.wall_ns)
        held = memory(single.graph)
        assert held is not None
        assert row.needed_bytes == held.computed.peak


def test_what_fits_is_exactly_what_memory_allows(tmp_path: Path) -> None:
    model = configured(tmp_path, TINY)
    (row, _) = swept(model, "cache=100,101", settings=("memory=0.0001x",), cache_length=100).rows
    has = round(80e9 * 0.0001)
    assert row.most_sequences is not None
    for batch, fits in ((row.most_sequences, True), (row.most_sequences + 1, False)):
        held = memory(one(model, batch=batch, cache_length=100).graph)
        assert held is not None
        assert (held.computed.peak <= has) == fits


def test_grouped_heads_and_a_window_let_more_sequences_in(tmp_path: Path) -> None:
    most = {}
    for name, config in (("all heads", TINY | {"num_key_value_heads": 8}), ("grouped", TINY), ("window", WINDOW)):
        (tmp_path / name).mkdir()
        rows = swept(configured(tmp_path / name, config), "cache=60,400", cache_length=60).rows
        most[name] = [row.most_sequences or 0 for row in rows]
    assert most["grouped"][1] > 2 * most["all heads"][1] > 0
    assert most["window"][0] < 1.3 * most["window"][1]  # no more than the window is kept
    assert most["grouped"][0] > 3 * most["grouped"][1]


def test_changes_of_the_machine_change_what_they_limit(tmp_path: Path) -> None:
    model = configured(tmp_path, TINY)
    plain, wider = one(model, cache_length=50, batch=2), one(model, "bandwidth=2x", cache_length=50, batch=2)
    assert plain.samples.uninstrumented.wall_ns[0] == pytest.approx(
        2 * wider.samples.uninstrumented.wall_ns[0], rel=0.02
    )
    assert "bandwidth ×2" in str(wider.notes)
    quantized = one(model, "dtype=int8", cache_length=50, batch=2)
    assert quantized.plan.dtype == "bfloat16"
    saved = int((plain.graph.read_bytes - quantized.graph.read_bytes).sum())
    products = 2 * (64 * 64 * 2 + 64 * 16 * 2 + 3 * 64 * 96) + 64 * 200
    assert saved == products  # one byte of two for each weight of a product, and none of the embedding
    assert quantized.samples.uninstrumented.wall_ns[0] < plain.samples.uninstrumented.wall_ns[0]


def test_a_growing_batch_turns_from_memory_to_compute(tmp_path: Path) -> None:
    wide = TINY | {"hidden_size": 1024, "intermediate_size": 16384, "num_hidden_layers": 1}
    found = swept(configured(tmp_path, wide), "batch=1,4000", settings=("flops=0.05x",), cache_length=2)
    assert [row.limit for row in found.rows] == [Limit.MEMORY, Limit.COMPUTE]
    assert [row.settings[0].value for row in found.turns] == [4000]


def test_points_together_are_those_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = configured(tmp_path, TINY)
    asked = ("batch=1..9:4", "bandwidth=1x,0.01x")
    settings = ("dtype=int8", "memory=0.0000015x")
    together = swept(model, *asked, settings=settings, cache_length=30)
    monkeypatch.setattr(sweeping, "_FEW_POINTS", 1000)
    singly = swept(model, *asked, settings=settings, cache_length=30)
    assert len(together.rows) == 6
    for a, b in zip(together.rows, singly.rows, strict=True):
        assert a.wall.value_ns == pytest.approx(b.wall.value_ns, abs=1)
        assert dict(a.shares) == pytest.approx(dict(b.shares), abs=0.02)  # of a few hundred whole nanoseconds
        parts = ("settings", "batch", "tokens", "needed_bytes", "fits", "most_sequences")
        assert [getattr(a, part) for part in parts] == [getattr(b, part) for part in parts]
    assert together.notes == singly.notes
    assert {row.fits for row in together.rows} == {True, False}


def test_many_points_are_never_predicted_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = configured(tmp_path, TINY)
    monkeypatch.setattr(Singly, "row", None)
    found = swept(model, "batch=1..40", "cache=10..300:10", cache_length=10)
    assert len(found.rows) == 1200
    assert found.rows[-1].wall.value_ns > found.rows[0].wall.value_ns
    monkeypatch.setattr(sweeping, "together", lambda *_: None)
    with pytest.raises(UsageError, match=r"at most 1.?000 predictions"):
        swept(model, "batch=1..40", "cache=10..300:10", cache_length=10)
