"""Cycles and explanations in a notebook: shown as HTML, in the language of the environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclescope.core.cycle import Cycle
    from cyclescope.explaining.explanation import Explanation

_SHOWN = (("cyclescope.core.cycle", "Cycle"), ("cyclescope.explaining.explanation", "Explanation"))


def show_pages() -> None:
    """Let IPython, where it runs, show the types by their names, so that none of them is loaded for that.

    https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.formatters.html
    """
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:  # IPython is loaded and runs no shell, as in a test
        return
    for module, name in _SHOWN:
        shell.display_formatter.formatters["text/html"].for_type_by_name(module, name, _html)


def _html(shown: Cycle | Explanation) -> str:
    from cyclescope.report.media.html.html import notebook_html
    from cyclescope.report.words.translate import preferred_language

    return notebook_html(shown, lang=preferred_language())
