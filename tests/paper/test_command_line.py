"""What all commands have in common: their forms, their languages, the files that they read, and options declared once."""

from __future__ import annotations

import ast
import gettext
import inspect
import io
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest
from paper_models import paper_bert, paper_cycle

import cyclescope
from cyclescope.backends.base import Request
from cyclescope.cli.commands import home_of
from cyclescope.cli.deliver import Forms, Result, deliver, in_turn
from cyclescope.cli.files import given_texts, read_lines
from cyclescope.cli.main import run
from cyclescope.cli.options import Measuring
from cyclescope.cli.parser import parser
from cyclescope.cli.sides import changes, options_of
from cyclescope.core.errors import OutputError, UsageError
from cyclescope.explaining.explain import explain
from cyclescope.measuring.options import MeasureOptions, request_of
from cyclescope.notebook import show_pages
from cyclescope.report.page import Page, Paragraph
from cyclescope.report.words.translate import say_in

PARSER: Any = parser()
COMMANDS: dict[str, Any] = PARSER.commands
CLI = Path(cyclescope.__file__).parent / "cli"
CHINESE = "\u4e00"


def spoken(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """How a command ends, and what it says on both streams."""
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


# Interruptions and refusals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "cost"),
    [
        ("predict", "No prediction was shown or saved."),
        ("measure", "Nothing was measured yet."),
        ("show", ""),
    ],
)
def test_ctrl_c_says_what_it_costs(
    command: str, cost: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cyclescope.cli.predict.require_places", stopped)
    monkeypatch.setattr("cyclescope.cli.measure.require_places", stopped)
    monkeypatch.setattr("cyclescope.cli.show.require_places", stopped)
    code, _, err = spoken(capsys, command, "a-model", "--lang", "en")
    assert (code, err) == (130, "Error: Interrupted.\n" + (f"{cost}\n" if cost else ""))


@pytest.mark.parametrize("option", ["--sweep", "--set"])
def test_a_typo_is_refused_before_the_machine_is_looked_for(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cyclescope.predicting.target.target", None)
    code, _, err = spoken(capsys, "predict", "a-model", option, "bach=1,2", "--lang", "en")
    assert code == UsageError.exit_code
    assert f"{option} knows no bach." in err
    assert "Did you mean batch?" in err


# Forms ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo"}))
def test_every_command_gives_its_page_in_every_form(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {"--json", "--markdown", "--html", "--lang"} <= options


def test_no_command_is_made_of_another() -> None:
    names = {f"cyclescope.cli.{home_of(name)}" for name in COMMANDS}
    for name in COMMANDS:
        tree = ast.parse((CLI / f"{home_of(name)}.py").read_text(encoding="utf-8"))
        assert not {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} & names


def result() -> Result:
    return Result(lambda: Page("A title", (Paragraph("A text."),)), lambda: '{"a": 1}')


def test_a_result_is_printed_and_then_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forms = Forms(tmp_path / "page.md", tmp_path / "page.html", lang="en")
    told: list[str] = []
    deliver(result(), forms, lambda: told.append(capsys.readouterr().out))

    assert told[0].startswith("A title\n")
    assert (tmp_path / "page.md").read_text().startswith("# A title")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert capsys.readouterr().err == (
        f"Wrote Markdown: {tmp_path / 'page.md'}\nWrote HTML: {tmp_path / 'page.html'}\n"
    )


def test_a_document_is_printed_instead_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    deliver(result(), Forms(as_json=True))
    assert capsys.readouterr().out == '{"a": 1}\n'


def test_the_summary_of_a_step_is_appended_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    deliver(result(), Forms(markdown=path))
    assert path.read_text().startswith("before\n# A title")


def test_what_fails_costs_nothing_of_the_rest() -> None:
    done: list[int] = []

    def failing() -> None:
        raise OutputError("first")

    def broken() -> None:
        raise OSError("second")

    with pytest.raises(OutputError, match="first"):
        in_turn(lambda: done.append(1), failing, lambda: done.append(2), broken, lambda: done.append(3))
    assert done == [1, 2, 3]


# Texts ---------------------------------------------------------------------------------------------------------------

WRITTEN = "\ufeff one \r\n\r\n\tZürich\u2028苏黎世\r\ntwo".encode()


def test_a_text_file_is_read_alike_wherever_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").write_bytes(WRITTEN)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(WRITTEN)))

    lines = read_lines(str(tmp_path / "texts"))

    assert lines == ["one", "Zürich\u2028苏黎世", "two"], "a separator of lines within a text divides it not"
    assert read_lines("-") == lines
    assert given_texts(None, str(tmp_path / "texts")) == tuple(lines)


def test_two_sources_of_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="Only one"):
        given_texts(["a"], "b")


# Options of a measurement --------------------------------------------------------------------------------------------


def test_the_options_of_a_measurement_are_those_of_its_request() -> None:
    asked, of_request = get_type_hints(MeasureOptions), get_type_hints(Request)
    several = {"question": "questions", "context": "contexts"}

    assert {several.get(name, name) for name in asked} <= set(of_request)
    assert {name: hint for name, hint in asked.items() if name not in several} == {
        name: of_request[name] for name in asked if name not in several
    }
    assert {f.name for f in fields(Measuring)} - {"text", "text_file"} <= set(asked)


@pytest.mark.parametrize("function", [cyclescope.measure, cyclescope.measure_pair])
def test_every_option_is_in_the_signature_with_its_default(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    defaults = {field.name: field.default for field in fields(Request) if field.default is not MISSING}

    assert set(MeasureOptions.__annotations__) <= set(parameters)
    for name in MeasureOptions.__annotations__:
        assert parameters[name].default == defaults.get(name)
    assert [name for name in MeasureOptions.__annotations__ if name not in str(MeasureOptions.__doc__)] == []


def test_the_command_line_asks_for_what_python_asks_for() -> None:
    """With nothing said, both make the same request, but for the data type, which the command line names."""
    said, plain = request_of("x", (), **Measuring(dtype="float32").options()), request_of("x")
    assert {f.name for f in fields(Request) if getattr(said, f.name) != getattr(plain, f.name)} == {"dtype"}


def test_a_side_of_a_comparison_has_options_of_its_own() -> None:
    mine = changes("--b", ["threads=2", "new-tokens=3", "text=x", "text=y", "attention=sdpa", "trust-remote-code=true"])
    side = options_of(Measuring(text=["common"], threads=1, tokens=4), mine)

    assert mine == {
        "threads": 2, "new_tokens": 3, "text": ("x", "y"), "attention": "sdpa", "trust_remote_code": True,
    }  # fmt: skip
    assert (side["threads"], side["text"], side["tokens"]) == (2, ("x", "y"), None)
    assert options_of(Measuring(text=["common"]), {})["text"] == ("common",)


@pytest.mark.parametrize("pair", ["threads", "thread=2", "threads=two", "attention=spda", "trust-remote-code=2"])
def test_an_option_of_a_side_that_cannot_be_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        changes("--a", [pair])


# Languages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("--lang", "zh", "--help"),
        ("--lang=zh", "measure", "--help"),
        ("measure", "--help", "--lang", "zh"),
        ("--lang", "zh", "define", "tpot"),
        ("define", "tpot", "--lang=zh"),
        ("--lang", "zh"),
    ],
)
def test_the_language_is_asked_for_anywhere(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, err = spoken(capsys, *arguments)
    assert (out + err).isascii() is False
    assert any(char > CHINESE for char in out + err)


@pytest.mark.parametrize("variable", ["CYCLESCOPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"])
def test_the_language_is_else_that_of_the_environment(
    variable: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CYCLESCOPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "zh_CN.UTF-8")

    assert "用法：" in spoken(capsys, "show", "--help")[1]
    assert "错误：" in spoken(capsys, "show")[2]
    assert "Usage: " in spoken(capsys, "show", "--help", "--lang", "en")[1]


@pytest.mark.parametrize("arguments", [("show",), ("mesure",), ("show", "a", "--nose"), ("show", "none.cycle")])
def test_errors_are_in_the_language_that_was_asked_for(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = spoken(capsys, *arguments, "--lang", "zh")
    assert (code != 0, out) == (True, "")
    assert err.startswith("错误：")
    assert "Error" not in err


def test_an_unknown_language_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = spoken(capsys, "models", "--lang", "tlh")
    assert code == 2
    assert "en, zh" in err


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_text_has_its_chinese(name: str) -> None:
    command = COMMANDS[name] if name else PARSER
    texts = [*(command.help or "").split("\n\n"), *(parameter.help for parameter in command.params)]
    say = say_in("zh")
    from cyclescope.core.message import Message

    assert [text for text in texts if text and say(Message(text)) == text] == []


def test_english_help_reads_no_catalog(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("a catalog was read")

    say_in.cache_clear()
    monkeypatch.setattr(gettext, "GNUTranslations", unwanted)
    assert "Usage: " in spoken(capsys, "measure", "--help")[1]


# Notebooks -----------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_cycles_and_explanations(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: dict[str, Any] = {}
    formatter = SimpleNamespace(for_type_by_name=lambda module, name, show: shown.update({f"{module}.{name}": show}))
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": formatter}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    cycle = paper_cycle(paper_bert(2))
    show_pages()

    for value in (cycle, explain(cycle)):
        kind = type(value)
        assert shown[f"{kind.__module__}.{kind.__qualname__}"](value).startswith("<div")
    assert len(shown) == 2


def test_without_a_shell_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))  # type: ignore[arg-type]
    show_pages()
