"""Every page in every medium and language, as recorded: what a change does to them is seen in the diff of the outputs.

`CYCLESCOPE_GOLDEN=update pytest tests/paper/golden` records them again.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from cyclescope.cli.commands import COMMANDS as ALL
from cyclescope.cli.main import run

from .commands import COMMANDS, ERRORS, ERRORS_FILE, files
from .rendering import LANGUAGES, file_of, outputs, render

OUTPUTS = Path(__file__).parent / "outputs"
UPDATE = os.environ.get("CYCLESCOPE_GOLDEN") == "update"


def check(name: str, text: str) -> None:
    """Compare `text` with what is recorded as `name`, or record it."""
    path = OUTPUTS / name
    if UPDATE:
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
    recorded = path.read_bytes().decode("utf-8")
    assert text.encode("utf-8", "backslashreplace").decode("utf-8") == recorded


@pytest.mark.parametrize(("page", "medium", "language"), outputs())
def test_the_output_is_as_recorded(page: str, medium: str, language: str) -> None:
    check(file_of(page, medium, language), render(page, medium, language))


def help_file(command: str, language: str) -> str:
    return f"help-{command or 'all'}.{language}.txt"


def errors_file(language: str) -> str:
    return ERRORS_FILE.format(language=language)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns without colours, in which the command was called by its name."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "argv", ["cyclescope"])
    monkeypatch.setattr(sys.modules["__main__"], "__package__", "")


def plain(text: str) -> str:
    """Without colours, and without the spaces that fill a line."""
    text = re.sub("\x1b\\[[0-9;]*m", "", text)
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_is_as_recorded(command: str, language: str, narrow: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--lang", language, *command.split(), "--help"])
    assert ended.value.code == 0
    check(help_file(command, language), plain(capsys.readouterr().out))


@pytest.mark.parametrize("language", LANGUAGES)
def test_errors_are_as_recorded(
    language: str, tmp_path: Path, narrow: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)  # as where it is not installed: nothing may be measured by mistake
    told = []
    for arguments in ERRORS:
        with pytest.raises(SystemExit) as ended:
            run(["--lang", language, *arguments])
        shown = capsys.readouterr()
        assert not shown.out, arguments
        error = plain(shown.err).replace(str(tmp_path.resolve()), "<folder>").replace(str(tmp_path), "<folder>")
        told.append(f"$ cyclescope {' '.join(map(repr_of, arguments))}\n{error}[exit {ended.value.code}]\n")
    check(errors_file(language), "\n".join(told))


def repr_of(argument: str) -> str:
    return argument if re.fullmatch(r"[\w./=:%,-]+", argument) else f"'{argument}'"


def test_every_command_has_its_help_recorded() -> None:
    assert {"", *ALL} == set(COMMANDS)


def test_nothing_is_recorded_that_is_no_longer_made() -> None:
    made = {file_of(*output) for output in outputs()} | {
        name for language in LANGUAGES for name in (errors_file(language), *(help_file(c, language) for c in COMMANDS))
    }
    recorded = {path.name for path in OUTPUTS.iterdir()}
    if UPDATE:
        for name in recorded - made:
            (OUTPUTS / name).unlink()
        recorded &= made
    assert recorded == made
