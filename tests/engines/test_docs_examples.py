"""The examples of the documentation print what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A Python block and the text block right below it, which is all that it prints.
_EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n?^```text\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PAGES = [p for p in sorted(ROOT.joinpath("docs").rglob("*.md")) if _EXAMPLE.search(p.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_examples_print_what_the_page_says(page: Path) -> None:
    """The examples of one page run one after the other, in one namespace, as a reader types them."""
    names: dict[str, object] = {}
    for code, printed in _EXAMPLE.findall(page.read_text(encoding="utf-8")):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, page.name, "exec"), names)
        assert out.getvalue() == printed


def test_there_are_examples() -> None:
    assert "tutorial-1-one-cycle.md" in {page.name for page in _PAGES}
