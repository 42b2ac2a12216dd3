"""Model folders and hub caches as they lie on a disk, with empty files for weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BERT: dict[str, Any] = {"model_type": "bert", "vocab_size": 100, "hidden_size": 8, "num_hidden_layers": 1}
REVISION = "0123456789abcdef0123456789abcdef01234567"


def folder(path: Path, *files: str, config: Any = BERT) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for name in files:
        (path / name).write_bytes(b"")
    return path


def cached(hub: Path, name: str, *files: str, revision: str = REVISION) -> Path:
    """Put `name` into the hub's cache as its client does."""
    repository = hub / f"models--{name.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision, encoding="ascii")
    return folder(repository / "snapshots" / revision, *files)
