"""The bench on tables of others: what is read, what is chosen, and that no time of a tested row is looked at."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from tables.design import spread_out
from tables.gpu import product_rows
from tables.layers import layer_rows
from tables.networks import network_rows
from tables.products import Products, analytic, roofline, tiled, units_of
from tables.reading import Table, read_tables
from tables.sheet import Sheet, bytes_of, sheet_of, sheets
from tables.transfer import Source, transfer

from cyclescope.core.errors import UsageError

SHEET = """gpu:
  mem_bw: 2000000000000
  bfloat16_tc_flops: 300000000000000
  fp8_tc_flops: 600000000000000
"""


def write(path: Path, names: list[str], rows: list[list[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def layers(folder: Path, model: str, width: int) -> None:
    """A model of a device that is twice as slow as its datasheet, with a launch of 5 µs."""
    names = ["time_stats.mlp_up_proj.median", "time_stats.add.median", "time_stats.add.max", "n_head", "n_kv_head",
             "n_embd", "n_expanded_embd", "use_gated_mlp", "num_tokens", "num_tensor_parallel_workers"]  # fmt: skip
    rows: list[list[object]] = []
    for tokens in range(8, 1600, 16):
        product = 2 * (2 * tokens * width * 8 * width) / 300e12 * 1e3 + 0.005
        rows.append([product, tokens * width * 8 / 2e12 * 1e3 + 0.005, 9.0, 8, 8, width, 4 * width, "True", tokens, 1])
    write(folder / "gpu_x" / f"{model}.mlp.csv", names, rows)


def networks(path: Path, seed: int = 0, n: int = 900) -> Path:
    """A decoder of 20 ms and 10 ms a layer."""
    rng = np.random.default_rng(seed)
    names = ["encoder_embed_dim", "encoder_layer_num", "encoder_ffn_embed_dim_avg", "encoder_self_attention_heads_avg",
             "decoder_embed_dim", "decoder_layer_num", "decoder_ffn_embed_dim_avg", "decoder_self_attention_heads_avg",
             "decoder_ende_attention_heads_avg", "decoder_arbitrary_ende_attn_avg", "latency_mean_encoder",
             "latency_mean_decoder", "latency_std_encoder", "latency_std_decoder"]  # fmt: skip
    rows: list[list[object]] = []
    for _ in range(n):
        count = int(rng.integers(1, 7))
        time = 20 + 10 * count + rng.normal(0, 0.2)
        rows.append([512, 6, float(rng.integers(1, 4) * 512), 4, 512, count, 1024, 4, 4, 2, 5.0, time, 0.1, 0.1])
    return write(path, names, rows)


def test_tables_are_known_by_their_columns(tmp_path: Path) -> None:
    layers(tmp_path / "v", "one", 1024)
    networks(tmp_path / "h" / "some_device.csv")
    write(tmp_path / "other.csv", ["a", "b"], [[1, 2]])
    found = read_tables(tmp_path)

    assert [(t.machine, t.variant) for t in found.layers] == [("gpu_x", "one.mlp")]
    assert set(found.layers[0].seconds) == {"mlp_up_proj", "add"}
    assert found.layers[0].columns["use_gated_mlp"].tolist() == [1.0] * 100
    assert [t.machine for t in found.networks] == ["some_device"]
    assert found.networks[0].seconds["encoder"][0] == pytest.approx(5e-3)


def test_a_folder_without_tables_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no known table"):
        read_tables(tmp_path)
    with pytest.raises(UsageError, match="must be a folder"):
        read_tables(tmp_path / "absent")


def test_a_datasheet_is_found_by_the_folder_s_name_else_in_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "gpu_x.yaml").write_text(SHEET)
    (tmp_path / "other.yaml").write_text("a: 1")
    known = sheets(tmp_path)

    assert list(known) == ["gpu_x"]
    own, beginning = sheet_of("gpu_x", known), sheet_of("gpu", known)
    assert own is not None
    assert own == beginning
    assert own.peak("fp8_block") == 600e12
    assert own.peak("float16") == 300e12
    assert sheet_of("no such device", known) is None
    assert [bytes_of(dtype) for dtype in ("bfloat16", "fp8_block", "int8_wo", "nvfp4", "float32")] == [2, 1, 1, 0.5, 4]


def test_a_product_takes_whole_tiles_in_whole_waves(tmp_path: Path) -> None:
    (tmp_path / "gpu_x.yaml").write_text(SHEET)
    sheet = sheet_of("gpu_x", sheets(tmp_path))
    assert sheet is not None
    m = np.array([1024.0, 1281.0, 4096.0])
    work = Products(m, np.full(3, 4096.0), np.full(3, 4096.0), "bfloat16")
    seconds = tiled(work, sheet, 100)

    assert (seconds >= work.flops() / sheet.peak("bfloat16") * (1 - 1e-12)).all()
    # One row more than whole tiles of 256 takes as long as the next whole number of them.
    assert seconds[1] > 1.25 * seconds[0]
    assert (analytic(work, sheet, 100) > roofline(work, sheet)).all()


def test_the_number_of_units_is_found_from_times() -> None:
    sheet = Sheet({"bfloat16": 300e12}, 2e12, "")
    rng = np.random.default_rng(0)
    m, n, k = (2.0 ** rng.uniform(6, 13, 300).round() for _ in range(3))
    work = Products(m, n, k, "bfloat16")

    assert units_of(work, analytic(work, sheet, 56) * 1.3, sheet) == 56


def test_points_are_chosen_once_each_and_spread_out() -> None:
    shapes = np.random.default_rng(1).normal(size=(500, 3))
    chosen = spread_out(shapes, 60, seed=0)
    nearest = np.sqrt(((shapes[:, None] - shapes[chosen]) ** 2).sum(axis=2)).min(axis=1)
    at_random = np.sqrt(((shapes[:, None] - shapes[:60]) ** 2).sum(axis=2)).min(axis=1)

    assert len(set(chosen.tolist())) == 60
    assert nearest.mean() < at_random.mean()


def test_a_transfer_looks_at_no_time_but_its_own_points() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 3, (120, 2))
    y = np.sin(x[:, 0]) + 0.2 * x[:, 1]
    own = np.arange(40)
    source = Source(x, y + 0.5 + 0.01 * rng.standard_normal(120))
    spoilt = y.copy()
    spoilt[40:] = 1e6
    found, again = (transfer([x], values, own, [[source]], seed=0) for values in (y, spoilt))

    assert np.array_equal(found.mean, again.mean)
    assert np.abs(found.mean[40:] - y[40:]).mean() < 0.02
    assert sum(found.weights.values()) == pytest.approx(1)
    assert (found.low < found.high).all()


def test_networks_that_follow_the_additive_model_are_predicted_from_twenty(tmp_path: Path) -> None:
    networks(tmp_path / "device.csv")
    few, many = network_rows(read_tables(tmp_path).networks, seeds=1)

    assert few.mean < 0.01
    assert many.mean < 0.01
    assert few.seeds[0].n == 400
    assert few.boosting is not None
    assert few.boosting > 5 * few.mean


def test_layers_of_an_unseen_model_are_predicted_from_the_others(tmp_path: Path) -> None:
    (tmp_path / "gpu_x.yaml").write_text(SHEET)
    for model, width in (("one", 1024), ("two", 2048), ("three", 1536)):
        layers(tmp_path, model, width)
    found = list(layer_rows(read_tables(tmp_path).layers, sheets(tmp_path), seeds=1))

    assert [o.what for o in found] == ["gpu_x one.mlp", "gpu_x three.mlp", "gpu_x two.mlp"]
    between = found[1]
    assert between.mean < 0.06
    assert between.roofline is not None
    assert between.roofline > 0.3


def products(path: str, machine: str, rows: int, slower: float = 1.0) -> Table:
    """Products on a made-up device, so many times slower than its datasheet."""
    rng = np.random.default_rng(rows)
    m, n, k = (2.0 ** rng.uniform(5, 12, rows).round() for _ in range(3))
    seconds = slower * analytic(Products(m, n, k, "bfloat16"), Sheet({"bfloat16": 300e12}, 2e12, ""), 56)
    columns = {"m": m, "n": n, "k": k, "gemm_dtype": np.full(rows, "bfloat16")}
    return Table(Path(path), machine, "fw/1/gemm", columns, {"latency": seconds})


def test_tables_of_any_device_are_predicted_and_what_is_left_out_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    known = {name: Sheet({"bfloat16": 300e12}, 2e12, f"{name}.yaml") for name in ("new-gpu", "alone", "small")}
    tables = [
        products("a", "new-gpu", 150, 1.5),
        products("b", "alone", 160, 2.0),
        products("c", "small", 30),
        products("d", "no such device", 150),
    ]
    found = list(product_rows(tables, known, points=40, seeds=1, most=120))

    assert [o.what for o in found] == ["new-gpu fw/1/gemm bfloat16", "alone fw/1/gemm bfloat16"]
    assert [o.seeds[0].n for o in found] == [80, 80]
    assert max(o.mean for o in found) < 0.1
    said = capsys.readouterr().err
    assert "c: left out, because small fw/1/gemm bfloat16 has 30 rows, and 40 are fitted on" in said
    assert "d: left out, because there is no datasheet of no such device" in said


def test_a_device_alone_is_predicted_from_its_own_points() -> None:
    known = {"alone": Sheet({"bfloat16": 300e12}, 2e12, "alone.yaml")}
    (found,) = product_rows([products("b", "alone", 150, 2.0)], known, points=40, seeds=1, most=120)

    assert found.fitted_on == "40 points, nothing else"
    assert found.mean < 0.1


def test_a_model_without_others_and_a_device_without_a_datasheet_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layers(tmp_path, "one", 1024)
    assert not list(layer_rows(read_tables(tmp_path).layers, {}, seeds=1))
    assert "there is no datasheet of gpu_x" in capsys.readouterr().err
    (tmp_path / "gpu_x.yaml").write_text(SHEET)
    assert not list(layer_rows(read_tables(tmp_path).layers, sheets(tmp_path), seeds=1))
    assert "there is no other model to fit on" in capsys.readouterr().err


def test_a_small_table_of_networks_is_tested_on_a_fifth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    networks(tmp_path / "small.csv", n=150)
    networks(tmp_path / "tiny.csv", n=40)
    found = list(network_rows(read_tables(tmp_path).networks, seeds=1))

    assert [(o.row, o.seeds[0].n) for o in found] == [("20 measured networks", 30), ("120 measured networks", 30)]
    assert max(o.mean for o in found) < 0.02
    assert "it has 40 rows, and 60 are needed" in capsys.readouterr().err
