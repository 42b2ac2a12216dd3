"""One way from a result to every form: the terminal, JSON, Markdown and HTML, in the language that was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.defects import forget_output
from cyclescope.cli.language import language_of
from cyclescope.cli.options import LanguageOption
from cyclescope.core.errors import OutputError
from cyclescope.core.message import N_, Message, m

if TYPE_CHECKING:
    from cyclescope.report.page import Page


@dataclass(frozen=True)
class Forms:
    """The options that say in which forms a command gives its result."""

    markdown: Annotated[
        Path | None, typer.Option(help=N_("Write the page as Markdown to this file"), show_default=False)
    ] = None
    html: Annotated[Path | None, typer.Option(help=N_("Write the page as HTML to this file"), show_default=False)] = (
        None
    )
    as_json: Annotated[bool, typer.Option("--json", help=N_("Print one JSON document instead of the page"))] = False
    lang: LanguageOption = None

    @property
    def language(self) -> str:
        """The tag of the language of pages and messages."""
        return language_of(self.lang)

    @property
    def files(self) -> tuple[Path | None, ...]:
        """The files that the page is written to."""
        return (self.markdown, self.html)


@dataclass(frozen=True)
class Result:
    """A page and a document, each made when it is asked for, so that no form pays for another.

    `html` makes the page in a language where HTML shows more than text can.
    """

    page: Callable[[], Page]
    document: Callable[[], str]
    html: Callable[[str], str] | None = None


def deliver(result: Result, forms: Forms, *saves: Callable[[], None]) -> None:
    """Print `result` first, then do `saves`, then write its files: what cannot be written costs nothing of the rest.

    A reader of standard output that went away has seen enough; files are still written. Raises the first `OutputError`,
    or `OSError` where printing failed, after everything else was done.
    """
    in_turn(partial(print_result, result, forms), *saves, partial(write_files, result, forms))


def in_turn(*steps: Callable[[], None]) -> None:
    """Do all `steps`, and raise then the first `OutputError` or `OSError` among them."""
    failed: list[OSError | OutputError] = []
    for step in steps:
        try:
            step()
        except BrokenPipeError:
            forget_output()
        except (OSError, OutputError) as error:
            failed.append(error)
    if failed:
        raise failed[0]


def print_result(result: Result, forms: Forms) -> None:
    """The document on standard output, or the page, as wide as the terminal and with its colours."""
    if forms.as_json:
        print_text(result.document())
        return
    from cyclescope.report.media.terminal import print_page

    print_page(result.page(), language=forms.language)


def print_text(text: str) -> None:
    """`text` on standard output as UTF-8, so that a console of another encoding cannot break a document in the middle."""
    sys.stdout.flush()
    rest = memoryview(text.encode("utf-8") + (b"" if text.endswith("\n") else b"\n"))
    while rest:  # with PYTHONUNBUFFERED a write may take a part of it and say so only in what it returns
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()


def write_files(result: Result, forms: Forms) -> None:
    """The files of --markdown and --html."""
    in_turn(partial(_write_markdown, result, forms), partial(_write_html, result, forms))


def _write_markdown(result: Result, forms: Forms) -> None:
    if forms.markdown is None:
        return
    from cyclescope.report.media.markdown import to_markdown
    from cyclescope.store.writing import write_text

    page = to_markdown(result.page(), forms.language)
    if str(forms.markdown) == os.environ.get("GITHUB_STEP_SUMMARY"):
        # The summary of a step is one file that everything in the step appends to.
        with forms.markdown.open("a", encoding="utf-8") as summary:
            summary.write(page)
    else:
        write_text(forms.markdown, page)
    notify(m("Wrote Markdown: {path}", path=str(forms.markdown)), forms.language)


def _write_html(result: Result, forms: Forms) -> None:
    if forms.html is None:
        return
    from cyclescope.store.writing import write_text

    write_text(forms.html, html_of(result, forms.language))
    notify(m("Wrote HTML: {path}", path=str(forms.html)), forms.language)


def html_of(result: Result, language: str) -> str:
    """The page as one HTML file."""
    if result.html is not None:
        return result.html(language)
    from cyclescope.report.media.html.html import to_html

    return to_html(result.page(), language)


def notify(message: Message, language: str) -> None:
    """One line on standard error."""
    from cyclescope.report.names import printable
    from cyclescope.report.words.translate import say_in

    typer.echo(printable(say_in(language)(message)), err=True)
