"""Files that stand on their own, taken apart: their imports, and the definitions that a piece of code needs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.resources import files

from cyclescope.backends.code import CodeSource

_OURS = "cyclescope"
_FUTURE = "__future__"


def text_of(source: CodeSource) -> str:
    """The whole file."""
    return (files(source.package) / "standalone" / f"{source.name}.py").read_text(encoding="utf-8")


def _parts(source: CodeSource) -> list[str]:
    """The source of each definition, with its decorators and with the constants between them."""
    text = text_of(source)
    lines = text.splitlines()
    tree = ast.parse(text)
    nodes = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    kept = [node for node in nodes if not source.wanted or getattr(node, "name", "") in source.wanted]
    return ["\n".join(lines[_first(node) - 1 : node.end_lineno]) for node in kept]


def definitions(sources: Sequence[CodeSource]) -> str:
    """The definitions of `sources`, two lines apart."""
    return "\n\n\n".join(part for source in sources for part in _parts(source))


def imports(sources: Sequence[CodeSource], *more: str) -> str:
    """The imports that `definitions` and the lines `more` need, sorted as isort sorts them; what is not used is left out."""
    body = ast.parse(
        "\n".join(text_of(source) for source in sources if not source.wanted) + "\n" + "\n".join(more)
    ).body
    for source in sources:
        body += ast.parse(text_of(source)).body if source.wanted else []
    used = {node.id for node in ast.walk(ast.parse(definitions(sources))) if isinstance(node, ast.Name)}
    used |= {alias for line in more for alias in _names(ast.parse(line).body[0])}
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    for node in body:
        if isinstance(node, ast.Import):
            whole |= {a.name for a in node.names if (a.asname or a.name).partition(".")[0] in used}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith((_OURS, _FUTURE)):
            names = {a.name for a in node.names if a.name in used}
            if names:
                parts.setdefault(node.module, set()).update(names)
    lines = [f"import {name}" for name in sorted(whole)]
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(parts.items())]
    standard = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    libraries = [line for line in lines if line not in standard]
    return "\n".join([f"from {_FUTURE} import annotations", "", *standard, "", *libraries])


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _names(node: ast.stmt) -> set[str]:
    names = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
    return {(alias.asname or alias.name).partition(".")[0] for alias in names}
