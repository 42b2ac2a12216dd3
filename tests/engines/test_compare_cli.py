"""`cyclescope compare` as a user runs it: files, models, exit codes, what it writes and what it refuses."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import CommandLine, command, environment, model_folder, refused
from noise import NoisyMachine, in_turns
from paper_models import paper_bert, paper_cycle, slot_times
from valid_documents import validate

from cyclescope.core.cycle import Cycle
from cyclescope.measuring.pair import measure_pair
from cyclescope.report.documents.comparison import ComparisonDocument
from cyclescope.store.run_file import load, save

GRAPH = paper_bert(2)
SHORT = ("--budget", "0.05", "--threads", "1", "--tokens", "8")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[str, float], Path]:
    """Saves a paper cycle that takes so many times as long as the base."""

    def made(name: str, factor: float) -> Path:
        path = tmp_path / f"{name}.cycle"
        save(paper_cycle(GRAPH, (slot_times(GRAPH) * factor).astype(np.int64)), path)
        return path

    return made


@pytest.mark.parametrize(("factor", "code"), [(1.0, 2), (2.0, 1), (0.5, 0)])
def test_the_exit_code_is_the_answer(
    cli: CommandLine, stored: Callable[[str, float], Path], factor: float, code: int
) -> None:
    done = cli("compare", stored("a", 1.0), stored("b", factor), "--fail-if-slower", "5%")

    assert done.code == code
    assert ("exceeded", "unknown", "kept")[{1: 0, 2: 1, 0: 2}[code]] in done.out


def test_without_a_limit_slower_is_no_failure(cli: CommandLine, stored: Callable[[str, float], Path]) -> None:
    assert "B is slower than A" in cli.succeeds("compare", stored("a", 1.0), stored("b", 2.0)).out


def test_failures_never_look_like_answers(
    cli: CommandLine, stored: Callable[[str, float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, gate = stored("a", 1.0), ("--fail-if-slower", "5%")

    assert cli("compare", a, *gate).code == 64  # the parser's own
    assert cli("compare", a, a, "--no-such-option", "--fail-if-slower=5%").code == 64
    cli.refuses(64, "compare", a, a, *gate, "--threshold", "two")
    cli.refuses(4, "compare", a, tmp_path / "none.cycle", *gate)
    # Without the limit the codes are those of every other command.
    assert cli("compare", a).code == 2
    cli.refuses(2, "compare", a, a, "--threshold", "two")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr("cyclescope.explaining.comparison.compare", broken)
    assert "Internal error" in cli.refuses(70, "compare", a, a, *gate)
    assert "Internal error" in cli.refuses(1, "compare", a, a)


@pytest.mark.parametrize("share", ["5", "-1%", "1000%", "five", "", "5%%", "nan"])
def test_a_share_that_is_none_is_refused(cli: CommandLine, stored: Callable[[str, float], Path], share: str) -> None:
    message = cli.refuses(64, "compare", stored("a", 1.0), stored("b", 1.0), f"--fail-if-slower={share}")

    assert "0.05" in message


def test_the_document_and_the_files(
    cli: CommandLine, stored: Callable[[str, float], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, page = tmp_path / "summary.md", tmp_path / "page.html"
    arguments = ("compare", stored("a", 1.0), stored("b", 2.0), "--markdown", summary, "--html", page)
    done = cli.succeeds(*arguments, "--json", "--threshold", "0.02")

    validate(done.document, ComparisonDocument)
    assert (done.document["verdict"], done.document["threshold"]) == ("slower", 0.02)
    assert summary.read_text(encoding="utf-8").count("B is slower") == 1
    assert "<h1" in page.read_text(encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    cli.succeeds(*arguments)
    assert summary.read_text(encoding="utf-8").count("B is slower") == 2


def test_files_that_were_measured_in_turns_stay_so(cli: CommandLine, tmp_path: Path) -> None:
    uninstrumented = in_turns(NoisyMachine(0), 1e7, 1.1e7, 16)
    for name, samples in zip("ab", uninstrumented, strict=True):
        cycle = paper_cycle(GRAPH)
        save(replace(cycle, samples=replace(cycle.samples, uninstrumented=samples)), tmp_path / f"{name}.cycle")
    document = cli.succeeds("compare", tmp_path / "a.cycle", tmp_path / "b.cycle", "--json").document

    assert (document["interleaved"], document["verdict"]) == (True, "slower")


def test_what_differs_between_runs_can_be_given(cli: CommandLine, stored: Callable[[str, float], Path]) -> None:
    files = stored("a", 1.0), stored("b", 1.1)

    assert cli.succeeds("compare", *files, "--json").document["verdict"] == "inconclusive"
    assert cli.succeeds("compare", *files, "--json", "--between-runs", "2%").document["verdict"] == "slower"


def test_a_reader_that_goes_away_does_not_change_the_answer(
    stored: Callable[[str, float], Path], tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = command("compare", stored("a", 1.0), stored("b", 2.0), "--fail-if-slower", "5%")
    done = subprocess.run(arguments, cwd=tmp_path, stdout=writer, env=environment(), check=False)
    os.close(writer)

    assert done.returncode == 1


def test_two_ways_to_run_one_model_are_measured_in_turns(cli: CommandLine, tmp_path: Path) -> None:
    model = model_folder(tmp_path)
    outs = tmp_path / "a.cycle", tmp_path / "b.cycle"
    document = cli.succeeds(
        "compare", model, model, *SHORT, "--b", "attention=eager", "--b", "batch=2",
        "--out-a", outs[0], "--out-b", outs[1], "--json",
    ).document  # fmt: skip

    assert document["interleaved"]
    differs = {d["aspect"]: (d["a"], d["b"]) for d in document["differences"]}
    assert differs["attention"] == ("sdpa", "eager")
    assert differs["batch"] == ("1", "2")
    softmax = [part for part in document["kinds"] if part["kind"] == "softmax"]
    assert [part["presence"] for part in softmax] == ["only-b"]
    assert [load(out).workload.batch for out in outs] == [1, 2]


def test_a_model_is_measured_now_and_held_against_a_file(cli: CommandLine, tmp_path: Path) -> None:
    model, run = model_folder(tmp_path), tmp_path / "run.cycle"
    cli.succeeds("measure", model, *SHORT, "--out", run)
    document = cli.succeeds("compare", run, model, *SHORT, "--json").document

    assert not document["interleaved"]
    assert document["differences"] == []
    assert document["between_runs"] > 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--a", "thread=1"), "threads"),
        (("--a", "threads"), "threads=2"),
        (("--a", "threads=many"), "whole number"),
        (("--b", "attention=flash"), "eager"),
        (("--b", "weights=none"), "random"),
        (("--b", "new-tokens=4"), "cannot generate text"),
        (("--fail-if-slower", "5"), "5%"),
    ],
)
def test_what_a_side_cannot_have_is_refused(
    cli: CommandLine, tmp_path: Path, arguments: tuple[str, str], says: str
) -> None:
    model = model_folder(tmp_path)
    done = cli("compare", model, model, *SHORT, *arguments)

    assert says in refused(done, 64 if "--fail-if-slower" in arguments else done.code)
    assert done.code in (2, 6, 64)


def test_a_file_is_never_written_over(cli: CommandLine, stored: Callable[[str, float], Path]) -> None:
    a = stored("a", 1.0)
    before = a.read_bytes()
    cli.refuses(2, "compare", a, a, "--markdown", a)

    assert a.read_bytes() == before


def test_options_of_a_side_that_is_a_file_are_refused(cli: CommandLine, stored: Callable[[str, float], Path]) -> None:
    a = stored("a", 1.0)
    for option in ("--a", "--out-b"):
        assert "is a saved run" in cli.refuses(2, "compare", a, a, option, "threads=1")


def test_each_turn_has_its_own_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engine's thread count is global; every run must see that of its own side, and it is put back in the end."""
    before = torch.get_num_threads()
    from cyclescope.backends.torch.session import TorchSession

    seen: set[tuple[int, int]] = set()
    uninstrumented = TorchSession.uninstrumented

    def watched(self: TorchSession, cycles: int) -> object:
        seen.add((self.plan.threads, torch.get_num_threads()))
        return uninstrumented(self, cycles)

    monkeypatch.setattr(TorchSession, "uninstrumented", watched)
    model = str(model_folder(tmp_path))
    cycles: tuple[Cycle, Cycle] = measure_pair(model, model, tokens=8, budget=0.05, a={"threads": 1}, b={"threads": 2})

    assert seen == {(1, 1), (2, 2)}
    assert [cycle.plan.threads for cycle in cycles] == [1, 2]
    assert torch.get_num_threads() == before
