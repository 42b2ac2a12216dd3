"""A saved run and a report tell nothing about what was read, who read it and where it lay."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import QUICK, CommandLine, environment, model_folder, process
from forked_process import ForkedProcess

import cyclescope

SECRET = "quetzalcoatl schwarzgeld 秘密账户"
WORDS = SECRET.split()


def contents(path: Path) -> Iterator[bytes]:
    """Everything that a file says: its own bytes, and those of its members where it is a zip."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield archive.comment
            for info in archive.infolist():
                yield info.filename.encode() + info.comment + info.extra
                yield archive.read(info)


def says(path: Path, word: str) -> bool:
    """Whether `word` stands in `path`, as it is or as JSON writes it in ASCII."""
    spellings = {word.encode(), word.encode("utf-16-le"), word.encode("unicode_escape")}
    return any(spelling in content for content in contents(path) for spelling in spellings)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.mark.parametrize("task", ["embed", "classify", "fill"])
def test_texts_are_in_no_file(cli: CommandLine, tmp_path: Path, task: str) -> None:
    model = model_folder(tmp_path)
    run, page, document = (tmp_path / name for name in ("run.cycle", "page.html", "document.json"))

    asked = ("--text", SECRET, "--task", task, "--out", run, "--html", page)
    document.write_text(cli.succeeds("measure", model, *asked, "--json", *QUICK).out, encoding="utf-8")
    report = cli.succeeds("show", run).out

    assert not [(word, file.name) for file in (run, page, document) for word in WORDS if says(file, word)]
    assert not [word for word in WORDS if word in report]
    for form in ("html", "markdown", "mermaid", "graph", "perfetto", "speedscope"):
        told = tmp_path / form
        cli.succeeds("show", run, "--as", form, "--out", told)
        assert not [word for word in WORDS if says(told, word)]


def test_what_a_model_fills_in_may_repeat_the_text_and_is_not_kept_either(tmp_path: Path) -> None:
    model = str(model_folder(tmp_path))
    without, kept = (
        cyclescope.measure(model, SECRET, task="fill", keep_text=keep, threads=1, budget=0.05).workload.outcome
        for keep in (False, True)
    )

    assert "logits" in without
    assert "logits" not in kept


def test_texts_are_kept_when_asked_for(cli: CommandLine, tmp_path: Path) -> None:
    """And this proves that the search above finds what is there."""
    run = tmp_path / "run.cycle"

    asked = ("--text", SECRET, "--keep-text", "--out", run, "--json")
    told = cli.succeeds("measure", model_folder(tmp_path), *asked, *QUICK)

    assert all(says(run, word) for word in WORDS)
    assert told.document["workload"]["texts"] == [SECRET]
    assert cyclescope.load(run).workload.texts == (SECRET,)


def test_the_machine_and_its_user_are_in_no_file(tmp_path: Path) -> None:
    home = tmp_path / "home-of-quirinius"
    home.mkdir()
    model = model_folder(home)
    files = ("run.cycle", "page.html")

    asked = ("--out", files[0], "--html", files[1], "--json")
    done = process("measure", model, *asked, *QUICK, folder=home, HOME=str(home), USER="quirinius", LOGNAME="quirinius")
    assert done.code == 0, done.err
    (home / "document.json").write_text(done.out)

    private = ["quirinius", str(tmp_path), str(Path(__file__).parents[2])]
    if len(host := os.uname().nodename) > 7:  # a shorter one stands in packed bytes by chance
        private.append(host)
    found = [(word, name) for name in (*files, "document.json") for word in private if says(home / name, word)]
    assert found == []
    assert done.document["workload"]["model"]["reference"] == "tiny"


def test_a_configuration_file_is_told_without_its_path(tmp_path: Path) -> None:
    model = model_folder(tmp_path)

    cycle = cyclescope.measure(str(model / "config.json"), tokens=4, threads=1, budget=0.05)

    assert cycle.workload.model.reference == "tiny/config.json"


def test_nothing_listens_and_nothing_is_called(tmp_path: Path) -> None:
    """The whole of a measurement with every socket forbidden, as while the imports behind it were made."""
    code = (
        "import sys\n"
        "def watch(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.bind', 'socket.sendto'):\n"
        "        print('opened', event, arguments, file=sys.stderr); import os; os._exit(99)\n"
        "sys.addaudithook(watch)\n"
        "from cyclescope.cli.main import run\n"
        "run(sys.argv[1:])\n"
    )
    asked = [sys.executable, "-c", code, "measure", "minilm", "--html", "page.html", *QUICK]
    child = ForkedProcess(asked, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    _, errors = child.communicate(timeout=120)

    assert child.returncode == 0, errors.decode()
