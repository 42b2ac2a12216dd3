"""The cache of the Hugging Face hub on this disk, read as files; nothing here opens a connection.

Layout: `models--<org>--<name>/refs/main` names a revision, `snapshots/<revision>/` holds its files
(https://huggingface.co/docs/huggingface_hub/guides/manage-cache).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# One or two parts of letters, digits, '-', '_', '.', at most 96 characters in all, as the hub's client accepts them.
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_LONGEST_NAME = 96
_REVISION = re.compile(r"[0-9a-f]{7,64}")
_YES = frozenset(("1", "on", "yes", "true"))


def is_hub_name(name: str) -> bool:
    """Whether `name` could stand on the hub."""
    return (
        len(name) <= _LONGEST_NAME
        and _HUB_NAME.fullmatch(name) is not None
        and "--" not in name
        and ".." not in name
        and not name.endswith((".", "-", ".git"))
    )


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user has forbidden the hub's client the network."""
    return any(environment.get(name, "").lower() in _YES for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the hub's client keeps its files, by the variables that it reads itself."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environment.get(name):
            return Path(os.path.expanduser(environment[name]))
    if environment.get("HF_HOME"):
        return Path(os.path.expanduser(environment["HF_HOME"])) / "hub"
    base = Path(os.path.expanduser(environment.get("XDG_CACHE_HOME") or "~/.cache"))
    return base / "huggingface" / "hub"


def cached_snapshot(name: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of `name`'s main revision in the cache, if it is there with a configuration."""
    if not is_hub_name(name):
        return None
    repository = cache_folder(environment) / f"models--{name.replace('/', '--')}"
    try:
        revision = (repository / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    snapshot = repository / "snapshots" / revision
    if _REVISION.fullmatch(revision) is None or not os.path.isfile(snapshot / "config.json"):
        return None
    return snapshot
