"""Whatever is wrong with what a user gives: one clear message, a fixed exit code, nothing on standard output, nothing lost."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import QUICK, TINY, CommandLine, command, environment, interrupted, model_folder, process, refused
from forked_process import ForkedProcess

import cyclescope
from cyclescope.core.errors import UsageError


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return model_folder(tmp_path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole run file."""
    folder = tmp_path_factory.mktemp("saved")
    cyclescope.save(cyclescope.measure(str(model_folder(folder)), tokens=4, budget=0.05), folder / "run.cycle")
    return (folder / "run.cycle").read_bytes()


# The model -----------------------------------------------------------------------------------------------------------


def test_unknown_model_gets_a_suggestion(cli: CommandLine) -> None:
    assert "Did you mean bert-tiny?" in cli.refuses(3, "measure", "bert-tny")


def test_unknown_model_in_a_process_of_its_own(tmp_path: Path) -> None:
    message = refused(process("measure", "bert-tny", folder=tmp_path), 3)

    assert "Did you mean bert-tiny?" in message
    assert "\x1b" not in message
    assert list(tmp_path.iterdir()) == []


def test_path_that_is_not_there(cli: CommandLine, tmp_path: Path) -> None:
    assert "no file or folder" in cli.refuses(3, "measure", tmp_path / "nothing")


def test_folder_without_configuration(cli: CommandLine, tmp_path: Path) -> None:
    assert "has no config.json" in cli.refuses(3, "measure", tmp_path)


@pytest.mark.parametrize("content", [b'{"model_type": "bert",', b"[]", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_broken_configuration(cli: CommandLine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)

    assert "must be a model configuration" in cli.refuses(3, "measure", tmp_path)


def test_model_type_that_transformers_does_not_know(cli: CommandLine, tmp_path: Path) -> None:
    assert "does not know" in cli.refuses(3, "measure", model_folder(tmp_path, model_type="bert-of-tomorrow"))


@pytest.mark.parametrize("change", [{"hidden_size": 33}, {"hidden_size": "wide"}, {"num_hidden_layers": -1.5}])
def test_configuration_that_cannot_be_built(cli: CommandLine, tmp_path: Path, change: dict[str, Any]) -> None:
    cli.refuses(3, "measure", model_folder(tmp_path, **change), "--tokens", "4")


def test_pretrained_weights_that_are_not_there(cli: CommandLine, tiny: Path) -> None:
    assert "has no weights" in cli.refuses(3, "measure", tiny, "--weights", "pretrained")
    assert "--weights random" in cli.refuses(3, "measure", "bert-tiny", "--weights", "pretrained")


def test_corrupted_safetensors(cli: CommandLine, tiny: Path) -> None:
    import transformers

    transformers.AutoModel.from_config(transformers.BertConfig(**TINY)).save_pretrained(tiny)
    whole = (tiny / "model.safetensors").read_bytes()
    for broken in (whole[:-100], whole[:50], b"", b"\xff" * 64):
        (tiny / "model.safetensors").write_bytes(broken)
        assert "cannot be loaded" in cli.refuses(3, "measure", tiny, "--tokens", "4", *QUICK)


def test_weights_of_another_shape(cli: CommandLine, tiny: Path) -> None:
    import transformers

    transformers.AutoModel.from_config(transformers.BertConfig(**TINY)).save_pretrained(tiny)
    (tiny / "config.json").write_text(json.dumps({**TINY, "hidden_size": 64}))

    cli.refuses(3, "measure", tiny, "--tokens", "4", *QUICK)


class _Trap:
    """Unpickled, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("weights", ["auto", "pretrained"])
def test_pickled_weights_are_refused_and_not_opened(cli: CommandLine, tiny: Path, weights: str) -> None:
    marker = tiny / "sprung"
    torch.save({"trap": _Trap(marker)}, tiny / "pytorch_model.bin")

    assert "only safetensors files are loaded" in cli.refuses(3, "measure", tiny, "--weights", weights)
    assert not marker.exists()
    torch.load(tiny / "pytorch_model.bin", weights_only=False)
    assert marker.exists(), "the trap works"


def _with_code(folder: Path) -> Path:
    """Let `folder` bring code of its own; the file that this code makes when it runs."""
    marker = folder / "ran"
    (folder / "own.py").write_text(
        f"from pathlib import Path\nPath({str(marker)!r}).touch()\n"
        "from transformers import BertConfig, BertModel\n"
        "class OwnConfig(BertConfig): model_type = 'own'\n"
        "class OwnModel(BertModel): config_class = OwnConfig\n"
    )
    own = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    (folder / "config.json").write_text(json.dumps({**TINY, "model_type": "own", "auto_map": own}))
    return marker


def test_code_of_a_model_is_not_run(cli: CommandLine, tiny: Path) -> None:
    marker = _with_code(tiny)

    message = cli.refuses(3, "measure", tiny, *QUICK)
    cli.refuses(3, "trace", tiny)

    assert "needs Python code" in message
    assert not marker.exists()


def test_code_of_a_tokenizer_is_not_run(cli: CommandLine, tiny: Path) -> None:
    marker = _with_code(tiny)
    (tiny / "config.json").write_text(json.dumps(TINY))
    (tiny / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": [None, "own.OwnTokenizer"]}}))
    (tiny / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word"]))

    done = cli("measure", tiny, "--text", "word", *QUICK)

    assert done.code in (0, 3), done.err
    assert not marker.exists()


def test_model_larger_than_the_memory_is_refused_before_it_is_made(cli: CommandLine, tmp_path: Path) -> None:
    wide = {"hidden_size": 32768, "intermediate_size": 131072, "num_attention_heads": 64, "num_hidden_layers": 40}
    folder = model_folder(tmp_path, **wide)
    cli.succeeds("trace", "bert-tiny", "--tokens", "4")  # whatever the tool itself needs is there from here on
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    message = cli.refuses(8, "measure", folder)

    assert "does not fit into memory" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 300_000


# The input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n\t"])
def test_empty_text(cli: CommandLine, text: str) -> None:
    assert "Text 1 is empty" in cli.refuses(2, "measure", "bert-tiny", "--text", text)
    with pytest.raises(UsageError, match="empty"):
        cyclescope.measure("bert-tiny", text)


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_empty_text_file(cli: CommandLine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "texts").write_bytes(content)

    assert "has no text in it" in cli.refuses(2, "measure", "bert-tiny", "--text-file", tmp_path / "texts")


def test_text_file_that_is_not_utf8(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "texts").write_bytes("这是一个".encode("gb18030"))

    assert "not UTF-8" in cli.refuses(2, "measure", "bert-tiny", "--text-file", tmp_path / "texts")


def test_standard_input_that_is_not_utf8(tmp_path: Path) -> None:
    done = process("measure", "bert-tiny", "--text-file", "-", folder=tmp_path, given="Zürich".encode("latin-1"))

    assert "not UTF-8" in refused(done, 2)


def test_text_file_that_cannot_be_read(cli: CommandLine, tmp_path: Path) -> None:
    for place in (tmp_path / "nothing", tmp_path):
        assert "cannot be read" in cli.refuses(2, "measure", "bert-tiny", "--text-file", place)


def test_text_longer_than_the_model_is_cut_and_says_so(cli: CommandLine, tiny: Path) -> None:
    long = ("--text", "a " * 58, "--text", "a")  # with [CLS] and [SEP] 60 tokens, of which 40 fit

    report = cli.succeeds("measure", tiny, *long, *QUICK)
    work = cli.succeeds("measure", tiny, *long, "--json", *QUICK).document["workload"]

    assert "20 tokens did not fit the model and were cut." in report.out
    assert report.err == ""
    assert work["cut_tokens"] == 20
    assert (work["batch"], work["tokens_in"], work["real_tokens"]) == (2, 40, 43)


def test_more_tokens_than_positions(cli: CommandLine, tiny: Path) -> None:
    assert "--tokens 40 or fewer" in cli.refuses(2, "measure", tiny, "--tokens", "41")
    assert "--tokens 40 or fewer" in cli.refuses(2, "trace", tiny, "--tokens", "41")
    cli.succeeds("trace", tiny, "--tokens", "40")


@pytest.mark.parametrize(
    "options",
    [
        ("--tokens", "0"),
        ("--batch", "0"),
        ("--threads", "0"),
        ("--seed", "-1"),
        ("--budget", "0"),
        ("--budget", "nan"),
        ("--text", "a", "--tokens", "3"),
        ("--text", "a", "--text-file", "b"),
        ("--text", "a", "--text", "b", "--batch", "1"),
        ("--dtype", "float12"),
    ],
)
def test_impossible_requests(cli: CommandLine, tiny: Path, options: tuple[str, ...]) -> None:
    cli.refuses(2, "measure", tiny, *options)


@pytest.mark.parametrize("options", [("--seed", str(2**63)), ("--threads", str(10**6)), ("--text-file", "")])
def test_numbers_and_names_that_nothing_can_take(cli: CommandLine, tiny: Path, options: tuple[str, ...]) -> None:
    cli.refuses(2, "measure", tiny, *options)


def test_text_that_is_no_unicode(cli: CommandLine, tiny: Path) -> None:
    """What Python makes of an argument that is not UTF-8."""
    assert "not Unicode text" in cli.refuses(2, "measure", tiny, "--text", "good", "--text", "Z\udcfcrich")


@pytest.mark.parametrize("size", [10**10, 10**25])
def test_batch_that_fits_no_memory(cli: CommandLine, tiny: Path, size: int) -> None:
    assert "prepare the input" in cli.refuses(8, "measure", tiny, "--tokens", "40", "--batch", str(size))


def test_broken_tokenizer_files(cli: CommandLine, tiny: Path) -> None:
    for content in (b"{broken", b"{}", b"\xff\xfe", b""):
        (tiny / "tokenizer.json").write_bytes(content)
        assert "cannot be loaded" in cli.refuses(3, "measure", tiny, *QUICK)


@pytest.mark.parametrize("options", [("--attention", "flash"), ("--task", "guess"), ("--weights", "new"), ("--nose",)])
def test_unknown_values_of_options(cli: CommandLine, options: tuple[str, ...]) -> None:
    done = cli("measure", "bert-tiny", *options)

    assert done.code == 2
    assert done.out == ""
    assert "Error" in done.err


def test_plans_that_this_machine_or_model_cannot_carry_out(cli: CommandLine, tiny: Path, tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        assert "--device cpu" in cli.refuses(6, "measure", tiny, "--device", "cuda")
    assert "Devices are cpu, cuda and cuda:N" in cli.refuses(6, "measure", tiny, "--device", "tpu")
    assert "cannot run in int8" in cli.refuses(6, "measure", tiny, "--dtype", "int8")
    (tmp_path / "t5.json").write_text(json.dumps({"model_type": "t5", "vocab_size": 2000, "d_model": 32}))
    assert "no head for the task" in cli.refuses(6, "measure", tmp_path / "t5.json", "--task", "fill")


def test_torch_that_is_not_installed(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.backends.engine.find_spec", lambda name: None)

    assert "pip install" in cli.refuses(7, "measure", "bert-tiny")


# Objects from a program ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    import transformers

    built: torch.nn.Module = transformers.AutoModel.from_config(transformers.BertConfig(**TINY))
    return built.eval()


def _foreign(module: str) -> Any:
    return type("EagerTensor", (), {"__module__": module, "shape": (1, 4)})()


@pytest.mark.parametrize(
    "tensor", [_foreign("tensorflow.python.framework.ops"), np.ones((1, 4), np.int64), _foreign("jaxlib._jax")]
)
def test_tensors_of_another_framework(model: torch.nn.Module, tensor: object) -> None:
    with pytest.raises(UsageError) as caught:
        cyclescope.measure(model, inputs={"input_ids": tensor})

    assert "input_ids" in str(caught.value.fact)
    assert 'return_tensors="pt"' in str(caught.value.way_out)


@pytest.mark.parametrize("thing", [None, 7, object(), torch.zeros(2), {"model": 1}])
def test_object_that_is_no_model(thing: object) -> None:
    with pytest.raises(UsageError, match="not a model"):
        cyclescope.measure(thing, tokens=4)
    with pytest.raises(UsageError), cyclescope.watch(thing):
        pass


def test_text_for_a_model_in_hand_without_its_tokenizer(model: torch.nn.Module) -> None:
    with pytest.raises(UsageError, match="no tokenizer"):
        cyclescope.measure(model, "a text")


def test_inputs_that_do_not_fit_the_model(model: torch.nn.Module) -> None:
    from cyclescope.core.errors import CyclescopeError, EngineError

    wrong: tuple[tuple[dict[str, torch.Tensor], type[CyclescopeError]], ...] = (
        ({"pictures": torch.zeros(1, 3, 8, 8)}, EngineError),
        ({"input_ids": torch.full((1, 4), 10**6)}, UsageError),
    )
    for inputs, kind in wrong:
        with pytest.raises(kind) as caught:
            cyclescope.measure(model, inputs=inputs, budget=0.05)
        assert caught.value.way_out


# Files that cannot be written ----------------------------------------------------------------------------------------


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Inside, no file can grow beyond `room` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_costs_the_files_and_not_the_report(cli: CommandLine, tiny: Path) -> None:
    run, page = tiny.parent / "run.cycle", tiny.parent / "page.html"
    run.write_bytes(b"an older run")

    with full_disk(2000):
        done = cli("measure", tiny, "--out", run, "--html", page, *QUICK)

    assert done.code == 5
    assert "Compute cycle of" in done.out
    assert "Account" in done.out
    assert done.err.startswith("Error: ")
    assert "cannot be written" in done.err
    assert run.read_bytes() == b"an older run"
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["run.cycle", "tiny"]


def test_a_file_that_fails_does_not_cost_the_other(cli: CommandLine, tiny: Path) -> None:
    page = tiny.parent / "page.html"

    done = cli("measure", tiny, "--out", "/proc/run.cycle", "--html", page, "--json", *QUICK)

    assert done.code == 5
    assert done.document["wall"]["n"] > 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_report_that_cannot_be_printed_does_not_cost_the_files(tiny: Path) -> None:
    arguments = command("measure", tiny, "--out", "run.cycle", "--html", "page.html", *QUICK)
    with Path("/dev/full").open("w") as full:
        child = ForkedProcess(arguments, cwd=tiny.parent, stdout=full, stderr=subprocess.PIPE, env=environment())
        _, errors = child.communicate(timeout=120)

    assert child.returncode == 5
    assert b"No space left" in errors
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors
    assert cyclescope.load(tiny.parent / "run.cycle").samples.uninstrumented.wall_ns.size
    assert (tiny.parent / "page.html").exists()


@pytest.mark.parametrize("option", ["--out", "--html"])
def test_place_that_cannot_be_is_refused_before_measuring(cli: CommandLine, tmp_path: Path, option: str) -> None:
    for place in (tmp_path / "no" / "such" / "run", tmp_path):
        cli.refuses(5, "measure", "no-model-is-looked-for", option, place)


def test_one_name_for_two_files(cli: CommandLine, tiny: Path, saved: bytes) -> None:
    run = tiny / "run.cycle"
    run.write_bytes(saved)

    cli.refuses(2, "measure", tiny, "--out", tiny / "a", "--html", tiny / "b" / ".." / "a")
    for option in ("--out", "--html"):
        cli.refuses(2, "show", run, option, run)

    assert run.read_bytes() == saved


def test_show_and_trace_say_what_they_cannot_write(cli: CommandLine, tmp_path: Path, saved: bytes) -> None:
    (tmp_path / "run.cycle").write_bytes(saved)
    for option in ("--out", "--html"):
        cli.refuses(5, "show", tmp_path / "run.cycle", option, tmp_path / "no" / "page.html")
    cli.refuses(5, "trace", "bert-tiny", "--out", tmp_path / "no" / "page")
    cli.refuses(5, "demo", "--folder", "/proc/demo")


# Run files that cannot be read ---------------------------------------------------------------------------------------


def _newer(run: bytes, path: Path) -> None:
    path.write_bytes(run)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(parts["cycle.json"])
    document["version"] = 99
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, json.dumps(document) if name == "cycle.json" else content)


def test_run_files_that_cannot_be_read(cli: CommandLine, tmp_path: Path, saved: bytes) -> None:
    marker = tmp_path / "sprung"
    (tmp_path / "cut").write_bytes(saved[: len(saved) // 2])
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "json").write_text("{}")
    (tmp_path / "pickle").write_bytes(pickle.dumps(_Trap(marker)))
    _newer(saved, tmp_path / "newer")

    messages = {name: cli.refuses(4, "show", tmp_path / name) for name in ("cut", "empty", "json", "pickle", "newer")}
    cli.refuses(4, "show", tmp_path / "nothing")
    cli.refuses(4, "show", tmp_path)

    assert "cut or damaged" in messages["cut"]
    assert "too new" in messages["newer"]
    assert not marker.exists()


# Interruptions -------------------------------------------------------------------------------------------------------


def test_ctrl_c_while_measuring_keeps_what_there_is(cli: CommandLine, tmp_path: Path) -> None:
    done = interrupted("measure", "measure", "bert-tiny", "--tokens", "64", "--budget", "300", folder=tmp_path)

    assert done.code == 130
    assert "Traceback" not in done.err
    assert "cyclescope-partial.cycle" in done.err
    assert "Compute cycle of" in done.out
    again = cli.succeeds("show", tmp_path / "cyclescope-partial.cycle")
    assert "interrupted" in again.out.lower()
    document = cli.succeeds("show", tmp_path / "cyclescope-partial.cycle", "--json").document
    assert document["partial"] is True
    assert document["wall"]["n"] >= 1


def test_ctrl_c_while_loading(tmp_path: Path) -> None:
    done = interrupted("load", "measure", "bert-tiny", folder=tmp_path, fresh=True)

    assert done.code == 130
    assert "Error: Interrupted." in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["standard-output"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_that_goes_away(tmp_path: Path, saved: bytes, unbuffered: str) -> None:
    """As `cyclescope show RUN --as html | head -1` does it, of more than a pipe holds."""
    (tmp_path / "run.cycle").write_bytes(saved)
    child = subprocess.Popen(
        command("show", "run.cycle", "--as", "html"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED=unbuffered),
    )
    assert child.stdout is not None
    assert child.stderr is not None
    fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, 4096)
    assert child.stdout.readline().startswith(b"<!doctype html>")
    child.stdout.close()

    assert child.stderr.read() == b""
    assert child.wait(120) == 0
    child.stderr.close()


def test_output_that_is_cut_short_is_no_success(tmp_path: Path, saved: bytes) -> None:
    """A disk that takes the beginning of a document and no more, and a Python that does not buffer."""
    (tmp_path / "run.cycle").write_bytes(saved)
    code = (
        "import resource, sys\n"
        "from cyclescope.cli.main import run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))\n"
        "run(sys.argv[1:])"
    )
    with (tmp_path / "page").open("wb") as page:
        done = subprocess.run(
            [sys.executable, "-c", code, "show", "run.cycle", "--as", "html"],
            cwd=tmp_path,
            stdout=page,
            stderr=subprocess.PIPE,
            env=environment(PYTHONUNBUFFERED="1"),
            timeout=120,
            check=False,
        )

    assert done.returncode == 5
    assert done.stderr.startswith(b"Error: ")
    assert b"Traceback" not in done.stderr


def test_what_a_defect_of_ours_looks_like(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.delenv("CYCLESCOPE_DEBUG", raising=False)
    monkeypatch.setattr("cyclescope.models.listing.model_rows", broken)

    message = cli.refuses(1, "models")

    assert "ZeroDivisionError" in message
    assert "CYCLESCOPE_DEBUG=1" in message


def test_this_file_leaves_no_limit_behind() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY or os.getenv("CI")
    assert "tensorflow" not in sys.modules
