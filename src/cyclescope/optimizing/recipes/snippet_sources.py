"""Files that stand on their own, taken apart: their imports, and the definitions that a piece of code needs."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

_OURS = "cyclescope"
_FUTURE = "__future__"
_LIBRARIES = ("ctranslate2", "numpy", "onnxruntime", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Source:
    """The file `name` of an engine's folder `standalone`: those of its definitions that are named, all where none is."""

    name: str
    wanted: tuple[str, ...] = ()
    engine: str = "torch"

    @property
    def text(self) -> str:
        return (files(f"cyclescope.backends.{self.engine}") / "standalone" / f"{self.name}.py").read_text(
            encoding="utf-8"
        )

    def parts(self) -> list[str]:
        """The source of each definition, with its decorators and with the constants between them."""
        lines = self.text.splitlines()
        tree = ast.parse(self.text)
        nodes = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
        kept = [node for node in nodes if not self.wanted or getattr(node, "name", "") in self.wanted]
        return ["\n".join(lines[_first(node) - 1 : node.end_lineno]) for node in kept]


def definitions(sources: Sequence[Source]) -> str:
    """The definitions of `sources`, two lines apart."""
    return "\n\n\n".join(part for source in sources for part in source.parts())


def imports(sources: Sequence[Source], *more: str) -> str:
    """The imports that `definitions` and the lines `more` need, sorted as isort sorts them; what is not used is left out."""
    body = ast.parse("\n".join(source.text for source in sources if not source.wanted) + "\n" + "\n".join(more)).body
    for source in sources:
        body += ast.parse(source.text).body if source.wanted else []
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
    standard = [line for line in lines if not line.split()[1].startswith(_LIBRARIES)]
    libraries = [line for line in lines if line not in standard]
    return "\n".join([f"from {_FUTURE} import annotations", "", *standard, "", *libraries])


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _names(node: ast.stmt) -> set[str]:
    names = node.names if isinstance(node, ast.Import | ast.ImportFrom) else []
    return {(alias.asname or alias.name).partition(".")[0] for alias in names}
