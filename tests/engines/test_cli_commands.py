"""Every command as a process: what it prints where, how it ends, and what it loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import QUICK, CommandLine, Done, environment, model_folder, process
from rich.cells import cell_len

import cyclescope
from cyclescope.cli.commands import COMMANDS as HELP_OF_COMMANDS
from cyclescope.cli.show import OutputForm
from cyclescope.models.catalog import architectures

COMMANDS = sorted(HELP_OF_COMMANDS)
HEAVY = {"numpy", "torch", "transformers", "tokenizers", "jinja2", "scipy", "pandas"}
WIDTH = 80


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved run of a tiny model with a text."""
    folder = tmp_path_factory.mktemp("run")
    cycle = cyclescope.measure(str(model_folder(folder)), "a b c", task="fill", threads=1, budget=0.1)
    cyclescope.save(cycle, folder / "run.cycle")
    return folder / "run.cycle"


def assert_plain(done: Done) -> None:
    """Fit to be piped: no control codes, no line wider than a terminal, nothing on standard error."""
    assert done.code == 0, done.err
    assert done.err == ""
    assert done.out
    assert not {c for c in done.out if ord(c) < 32 and c != "\n"}
    assert [line for line in done.out.splitlines() if cell_len(line) > WIDTH] == []


# Help ----------------------------------------------------------------------------------------------------------------


def loaded_by(*arguments: str) -> tuple[set[str], Done]:
    """Packages that a process has loaded when a command has ended."""
    code = (
        "import sys\nfrom cyclescope.cli.main import run\n"
        "try: run(sys.argv[1:])\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, env=environment(), timeout=120, check=False
    )
    return set(done.stderr.decode().split()), Done(done.returncode, done.stdout.decode(), "")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("measure", "--help")])
def test_help_waits_for_nothing_heavy(arguments: tuple[str, ...]) -> None:
    loaded, done = loaded_by(*arguments)

    assert_plain(done)
    assert "cyclescope" in loaded
    assert loaded & HEAVY == set()
    # The parser loads longer than the front page takes.
    assert ("typer" in loaded) == (arguments[0] == "measure")


def test_listing_models_loads_no_framework() -> None:
    loaded, done = loaded_by("models")

    assert_plain(done)
    assert loaded & {"torch", "transformers", "tokenizers"} == set()


def test_help_names_every_command(cli: CommandLine) -> None:
    assert {"measure", "show", "trace", "models", "demo"} <= set(COMMANDS)
    assert [name for name in COMMANDS if name not in cli.succeeds("--help").out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_document(cli: CommandLine, command: str) -> None:
    done = cli.succeeds(command, "--help")

    assert_plain(done)
    assert "--json" in done.out
    assert "--lang" in done.out
    assert cli.succeeds(command, "-h").out == done.out


def test_version(cli: CommandLine) -> None:
    assert cli.succeeds("--version").out == f"cyclescope {cyclescope.__version__}\n"


def test_unknown_command(cli: CommandLine) -> None:
    done = cli("measur", "minilm")

    assert (done.code, done.out) == (2, "")
    assert "measur" in done.err


# measure, piped ------------------------------------------------------------------------------------------------------


def test_measure_reads_a_pipe_and_writes_a_document(tmp_path: Path) -> None:
    model_folder(tmp_path)
    texts = "苏黎世\nZürich\n".encode()
    # A console of another encoding, as on a bare server, must not matter on either side.
    asked = ("--text-file", "-", "--json", "--out", "run.cycle")
    done = process(
        "measure", "tiny", *asked, *QUICK, folder=tmp_path, given=texts, fresh=True, PYTHONIOENCODING="ascii"
    )

    assert (done.code, done.err) == (0, "Saved the run: run.cycle\n")
    assert done.document["workload"]["text_bytes"] == len(texts) - 2
    assert cyclescope.load(tmp_path / "run.cycle").samples.set_up.import_ns


# show ----------------------------------------------------------------------------------------------------------------

FORMS: dict[OutputForm, Any] = {
    OutputForm.TERMINAL: lambda text: text.startswith("Compute cycle of tiny"),
    OutputForm.MARKDOWN: lambda text: text.startswith("#"),
    OutputForm.HTML: lambda text: text.startswith("<!doctype html>") and text.rstrip().endswith("</html>"),
    OutputForm.MERMAID: lambda text: "flowchart" in text,
    OutputForm.JSON: lambda text: json.loads(text)["schema"] == "cyclescope/cycle-report/2",
    OutputForm.GRAPH: lambda text: json.loads(text)["operations"],
    OutputForm.PERFETTO: lambda text: json.loads(text)["traceEvents"],
    OutputForm.SPEEDSCOPE: lambda text: json.loads(text)["profiles"],
}


@pytest.mark.parametrize("form", OutputForm)
def test_a_saved_run_is_shown_in_every_form(cli: CommandLine, run: Path, tmp_path: Path, form: OutputForm) -> None:
    shown = cli.succeeds("show", run, "--as", form.value)
    cli.succeeds("show", run, "--as", form.value, "--out", tmp_path / "shown")

    assert shown.err == ""
    assert FORMS[form](shown.out)
    assert (tmp_path / "shown").read_text(encoding="utf-8").rstrip("\n") == shown.out.rstrip("\n")


def test_show_says_the_same_as_measure_did(cli: CommandLine, tmp_path: Path) -> None:
    measured = cli.succeeds("measure", model_folder(tmp_path), "--out", tmp_path / "a.cycle", *QUICK).out
    shown = cli.succeeds("show", tmp_path / "a.cycle").out

    assert shown == measured
    assert cli.succeeds("show", tmp_path / "a.cycle").out == shown, "and again"


def test_show_needs_no_framework(run: Path, tmp_path: Path) -> None:
    code = (
        "import contextlib, sys\n"
        "for name in ('torch', 'transformers', 'tokenizers', 'safetensors'): sys.modules[name] = None\n"
        "from cyclescope.cli.main import run\n"
        "for form in sys.argv[2:]:\n"
        "    out = ['--out', form] if form != 'terminal' else []\n"
        "    with contextlib.suppress(SystemExit): run(['show', sys.argv[1], '--as', form, *out])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run), *(form.value for form in OutputForm)],
        cwd=tmp_path,
        capture_output=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert FORMS[OutputForm.TERMINAL](done.stdout.decode())
    for form in (form for form in OutputForm if form is not OutputForm.TERMINAL):
        assert FORMS[form]((tmp_path / form.value).read_text(encoding="utf-8"))


def test_show_piped_in_both_languages(run: Path, tmp_path: Path) -> None:
    english, chinese = (process("show", run, "--lang", lang, folder=tmp_path) for lang in ("en", "zh"))

    assert_plain(english)
    assert_plain(chinese)
    assert "计算周期" in chinese.out


def test_html_option_of_show(cli: CommandLine, run: Path, tmp_path: Path) -> None:
    done = cli.succeeds("show", run, "--html", tmp_path / "page.html", "--lang", "zh")

    assert done.out == ""
    assert '<html lang="zh' in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("level", ["stage", "layer", "operation"])
def test_the_flow_is_drawn_as_finely_as_asked(cli: CommandLine, run: Path, level: str) -> None:
    drawn = cli.succeeds("show", run, "--as", "mermaid", "--level", level).out

    stages = cli.succeeds("show", run, "--as", "mermaid").out
    assert "flowchart" in drawn
    assert (drawn == stages) is (level == "stage")
    assert len(drawn) >= len(stages)


# models, trace, demo -------------------------------------------------------------------------------------------------


def test_models(cli: CommandLine) -> None:
    listed = json.loads(cli.succeeds("models", "--json").out)
    names = {row["name"] for row in listed["models"]}

    assert names == {"minilm", *(entry.name for entry in architectures())}
    assert all(row["source"].startswith("https://") for row in listed["models"])


def test_trace(cli: CommandLine, tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    shape = ("--tokens", "8", "--batch", "2")

    structure = cli.succeeds("trace", folder, *shape, "--json").document
    graph = cli.succeeds("trace", folder, *shape, "--as", "graph").document
    page = cli.succeeds("trace", folder, *shape)
    cli.succeeds("trace", folder, *shape, "--as", "mermaid", "--out", tmp_path / "flow")

    assert structure == cli.succeeds("trace", folder, *shape, "--as", "json").document
    assert structure["total"] == graph["total"]
    assert structure["operations"] == sum(stage["operations"] for stage in structure["stages"])
    assert (
        graph["total"]["flops"]
        == sum(op["work"]["flops"] for op in graph["operations"])
        == cyclescope.trace(str(folder), tokens=8, batch=2).total.flops
    )
    assert_plain(page)
    assert "flowchart" in (tmp_path / "flow").read_text(encoding="utf-8")


def test_demo(cli: CommandLine, tmp_path: Path) -> None:
    """The two models, with so small a budget that only the shape of the answer counts."""
    done = cli.succeeds("demo", "--folder", tmp_path / "out", "--budget", "0.3", "--json")

    decoder, documents, rest = json.JSONDecoder(), [], done.out
    while rest.strip():
        document, end = decoder.raw_decode(rest.lstrip())
        documents.append(document)
        rest = rest.lstrip()[end:]
    models = [document["workload"]["model"] for document in documents]
    assert [(m["reference"], m["weights"]) for m in models] == [
        ("minilm", "pretrained"),
        ("bert-base-chinese", "random"),
    ]
    assert documents[0]["workload"]["batch"] > 1
    assert documents[1]["workload"]["characters"] == len("这是一个简单的BERT模型示例。")
    for name in ("minilm", "bert-base-chinese"):
        assert cyclescope.load(tmp_path / "out" / f"{name}.cycle").workload.model.reference == name
        assert (tmp_path / "out" / f"{name}.html").stat().st_size < 1_000_000
