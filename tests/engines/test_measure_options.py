"""The options of `cyclescope measure` do what they say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from command_line import QUICK, CommandLine, model_folder

import cyclescope
from cyclescope.core.graph.op import OpKind

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "cycle-report-2.json"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return model_folder(tmp_path)


@pytest.fixture
def document(cli: CommandLine, tiny: Path) -> Any:
    """Measures the tiny model with the given options and gives the JSON document."""

    def measured(*options: str) -> Any:
        return cli.succeeds("measure", tiny, "--json", *options, *QUICK).document

    return measured


def test_threads(cli: CommandLine, tiny: Path) -> None:
    before = torch.get_num_threads()
    for threads in (1, 2):
        done = cli.succeeds("measure", tiny, "--json", "--threads", str(threads), "--budget", "0.05")
        assert done.document["plan"]["threads"] == threads
        assert torch.get_num_threads() == before


def test_threads_are_told_where_none_are_asked_for(cli: CommandLine, tiny: Path) -> None:
    done = cli.succeeds("measure", tiny, "--json", "--budget", "0.05")

    assert done.document["plan"]["threads"] == torch.get_num_threads()


def test_one_text(document: Any) -> None:
    work = document("--text", "Zürich 苏黎世")["workload"]

    assert work["input_source"] == "text"
    assert (work["characters"], work["text_bytes"]) == (10, 17)
    assert (work["batch"], work["real_tokens"]) == (1, work["tokens_in"])


def test_several_texts_are_one_padded_batch(document: Any) -> None:
    work = document("--text", "a a a a a a a", "--text", "a a")["workload"]

    assert (work["batch"], work["tokens_in"]) == (2, 9)
    assert work["real_tokens"] == 9 + 4


def test_batch_repeats_the_texts(document: Any) -> None:
    work = document("--text", "a a a", "--text", "a", "--batch", "5")["workload"]

    assert (work["batch"], work["tokens_in"]) == (5, 5)
    assert work["real_tokens"] == 3 * 5 + 2 * 3
    assert work["characters"] == 3 * 5 + 2


def test_a_larger_batch_is_more_work(document: Any) -> None:
    one, four = (
        sum(op["work"]["flops"] for op in document("--tokens", "16", "--batch", b)["operations"]) for b in ("1", "4")
    )

    assert four == 4 * one > 0


def test_text_file_has_one_text_a_line(cli: CommandLine, document: Any, tiny: Path) -> None:
    file = tiny / "texts"
    file.write_bytes("\ufeffa a a\r\n\r\n  \na\n".encode())

    work = document("--text-file", str(file))["workload"]

    assert (work["batch"], work["tokens_in"], work["real_tokens"]) == (2, 5, 8)
    assert work["characters"] == 4 + 2, "a mark of the byte order is no character of the text"


def test_texts_from_standard_input(document: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("苏黎世\na\n".encode()), encoding="ascii"))

    assert document("--text-file", "-")["workload"]["text_bytes"] == 10


def test_tokens_are_made_up(document: Any) -> None:
    work = document("--tokens", "23", "--batch", "2")["workload"]

    assert work["input_source"] == "synthetic"
    assert (work["batch"], work["tokens_in"], work["real_tokens"], work["characters"]) == (2, 23, 46, 0)


def test_no_input_at_all_is_a_sentence_of_ours(cli: CommandLine, document: Any, tiny: Path) -> None:
    assert document()["workload"]["text_bytes"] == len("This is a simple example of a BERT model.")
    chinese = tiny.rename(tiny.with_name("bert-tiny-chinese"))
    done = cli.succeeds("measure", chinese, "--json", *QUICK)
    assert done.document["workload"]["characters"] == len("这是一个简单的BERT模型示例。")


def test_dtype_halves_the_bytes(cli: CommandLine, tiny: Path) -> None:
    cycles = {}
    for dtype in ("float32", "bfloat16"):
        run = tiny / f"{dtype}.cycle"
        cli.succeeds("measure", tiny, "--tokens", "8", "--dtype", dtype, "--out", run, *QUICK)
        cycles[dtype] = cyclescope.load(run)

    whole, half = cycles["float32"], cycles["bfloat16"]
    assert (whole.plan.dtype, half.plan.dtype) == ("float32", "bfloat16")
    assert whole.workload.model.parameter_bytes == 2 * half.workload.model.parameter_bytes
    assert "bfloat16" in {tensor.dtype for tensor in half.graph.tensors}
    assert "bfloat16" not in {tensor.dtype for tensor in whole.graph.tensors}


def test_attention_changes_the_operations(document: Any) -> None:
    kinds = {}
    for attention in ("eager", "sdpa"):
        told = document("--tokens", "8", "--attention", attention)
        assert told["plan"]["attention"] == attention
        kinds[attention] = {op["kind"] for op in told["operations"]}

    assert OpKind.ATTENTION in kinds["sdpa"]
    assert OpKind.SOFTMAX not in kinds["sdpa"]
    assert OpKind.ATTENTION not in kinds["eager"]
    assert OpKind.SOFTMAX in kinds["eager"]


def test_seed_makes_weights_and_tokens_again(tiny: Path) -> None:
    """What a masked language model fills in depends on every weight and every token."""

    def filled(seed: int) -> str:
        cycle = cyclescope.measure(str(tiny), "a b c d", task="fill", seed=seed, keep_text=True, threads=1, budget=0.05)
        assert cycle.plan.seed == seed
        return cycle.workload.outcome

    assert filled(3) == filled(3)
    assert filled(3) != filled(4)


def test_seed_makes_tokens_even_where_the_weights_are_given(tiny: Path) -> None:
    import transformers

    torch.manual_seed(0)
    transformers.AutoModelForMaskedLM.from_config(transformers.AutoConfig.from_pretrained(tiny)).save_pretrained(tiny)

    def filled(seed: int) -> str:
        settings = {"tokens": 8, "seed": seed, "keep_text": True, "threads": 1, "budget": 0.05}
        return cyclescope.measure(str(tiny), task="fill", weights="pretrained", **settings).workload.outcome

    assert filled(3) == filled(3)
    assert filled(3) != filled(4)


def test_classify_gives_labels(cli: CommandLine, tmp_path: Path) -> None:
    labels = {"0": "calm", "1": "angry", "2": "glad"}
    folder = model_folder(tmp_path, id2label=labels, label2id={v: int(k) for k, v in labels.items()})

    told = cli.succeeds(
        "measure", folder, "--task", "classify", "--text", "a", "--text", "b", "--json", *QUICK
    ).document

    words = told["workload"]["outcome"].split(", ")
    assert len(words) == 2
    assert set(words) <= set(labels.values())
    assert told["workload"]["task"] == "classify"
    assert [stage["name"] for stage in told["stages"]] == ["tokenize", "embed", "encode", "head", "read out"]


def test_a_classifier_is_known_by_its_configuration(cli: CommandLine, tmp_path: Path) -> None:
    folder = model_folder(tmp_path, architectures=["BertForSequenceClassification"])

    told = cli.succeeds("measure", folder, "--json", *QUICK).document["workload"]

    assert (told["task"], told["model"]["class_name"]) == ("classify", "BertForSequenceClassification")


def test_fill_gives_text_out(cli: CommandLine, tiny: Path) -> None:
    told = cli.succeeds("measure", tiny, "--task", "fill", "--text", "a b c", "--keep-text", "--json", *QUICK).document

    stages = {stage["name"]: stage for stage in told["stages"]}
    assert list(stages) == ["tokenize", "embed", "encode", "head", "read out"]
    assert stages["read out"]["time"]["value"] > 0
    assert told["workload"]["outcome"].strip()
    assert told["workload"]["texts"] == ["a b c"]


def test_json_fits_its_schema_and_names_what_was_promised(document: Any) -> None:
    told = document("--tokens", "8")

    jsonschema.validate(told, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert told["schema"] == "cyclescope/cycle-report/2"
    assert {"value", "low", "high", "n", "unit"} == told["wall"].keys()
    assert {"name", "time", "share"} <= told["stages"][0].keys()
    assert {"kind", "site", "time", "work"} <= told["operations"][0].keys()
    assert {"flops", "read_bytes", "written_bytes"} <= told["operations"][0]["work"].keys()
    assert {"attributed_s", "rest_s", "ratio", "instrumentation_ratio"} <= told["closure"].keys()
    assert {"workload", "plan", "machine", "warnings"} <= told.keys()
    assert [layer["index"] for layer in told["layers"]] == [0, 1]


def test_the_numbers_of_a_document_fit_each_other(document: Any) -> None:
    told = document("--text", "a b c d")

    assert told["wall"]["low"] <= told["wall"]["value"] <= told["wall"]["high"]
    assert sum(stage["share"] for stage in told["stages"]) == pytest.approx(1, abs=1e-6)
    closure = told["closure"]
    assert closure["attributed_s"] + closure["rest_s"] == pytest.approx(told["wall"]["value"], rel=1e-6)
    assert sum(row["time_s"] for row in closure["rows"]) == pytest.approx(told["wall"]["value"], rel=1e-6)
    in_layers = sum(layer["work"]["flops"] for layer in told["layers"])
    in_encode = sum(op["work"]["flops"] for op in told["operations"] if op["site"]["stage"] == "encode")
    assert in_layers == in_encode > 0


def test_random_weights_are_told(cli: CommandLine, tiny: Path) -> None:
    assert "Weights are random" in cli.succeeds("measure", tiny, *QUICK).out


def test_chinese_report(cli: CommandLine, tiny: Path) -> None:
    page = tiny / "page.html"

    done = cli.succeeds("measure", tiny, "--lang", "zh", "--html", page, *QUICK)

    assert "计算周期" in done.out
    assert "Compute cycle" not in done.out
    assert '<html lang="zh' in page.read_text(encoding="utf-8")


def test_html_is_one_small_file(cli: CommandLine, tiny: Path) -> None:
    page = tiny / "page.html"

    cli.succeeds("measure", tiny, "--html", page, *QUICK)

    assert 10_000 < page.stat().st_size < 1_000_000
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_run_that_was_there_is_replaced(cli: CommandLine, tiny: Path) -> None:
    run = tiny / "run.cycle"
    for tokens in (5, 9):
        cli.succeeds("measure", tiny, "--tokens", str(tokens), "--out", run, *QUICK)
        assert cyclescope.load(run).workload.tokens_in == tokens
