"""Which module of a transformers model each value of an exported file comes from."""

from __future__ import annotations

import ast
from pathlib import Path

from cyclescope.backends.artifacts.program import Scope

_WRAPPER = "model"  # the attribute of the exported module that holds the model itself


def scopes_of(path: Path) -> dict[str, Scope]:
    """The modules around each value of the file, from what the exporter notes beside every operation."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    found: dict[str, Scope] = {}
    for node in graph.node:
        notes = {note.key: note.value for note in node.metadata_props}
        names = _listed(notes.get("pkg.torch.onnx.name_scopes", ""))
        classes = _listed(notes.get("pkg.torch.onnx.class_hierarchy", ""))
        # The first is our wrapper, the last the operation itself.
        inner = [
            (name.removeprefix(_WRAPPER).removeprefix("."), kind.rpartition(".")[2])
            for name, kind in zip(names[:-1], classes[:-1], strict=False)
            if name == _WRAPPER or name.startswith(f"{_WRAPPER}.")
        ]
        for value in node.output:
            if inner:
                found[value] = tuple(inner)
    return found


def _listed(text: str) -> list[str]:
    try:
        value = ast.literal_eval(text) if text else []
    except (ValueError, SyntaxError):
        return []
    return [str(item) for item in value] if isinstance(value, list) else []
