"""Which model a reference means: a folder, a configuration file, a built-in architecture or a name on the hub."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from cyclescope.core.errors import ModelError, RemoteCodeRefused, UnknownModel
from cyclescope.core.message import Text, m, sentences
from cyclescope.models import hub_cache
from cyclescope.models.catalog import Architecture, architectures, find
from cyclescope.models.folder import CONFIG, LocalFolder, read_config, read_folder
from cyclescope.models.packaged import MINILM_NAMES, require_minilm


@dataclass(frozen=True, eq=False)
class ConfigFile:
    """A configuration without anything beside it: `config` is its content."""

    path: Path
    config: Mapping[str, Any]

    @property
    def needs_remote_code(self) -> bool:
        return bool(self.config.get("auto_map"))


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A model in one file of llama.cpp's format: configuration, tokenizer, and weights that are quantized in blocks."""

    path: Path

    @property
    def needs_remote_code(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A built-in architecture; `cached` is its published checkpoint where the hub's cache already holds it."""

    entry: Architecture
    cached: LocalFolder | None


@dataclass(frozen=True, slots=True)
class HubName:
    """A name on the hub. `cached` is its snapshot on this disk; without one only the hub's client can fetch it.

    `built_in` is the architecture of that name, for when the hub cannot be reached.
    """

    name: str
    cached: LocalFolder | None
    built_in: Architecture | None

    @property
    def cached_path(self) -> Path | None:
        return None if self.cached is None else self.cached.path


ModelSource: TypeAlias = LocalFolder | ConfigFile | GgufFile | BuiltIn | HubName


def resolve(reference: str, environment: Mapping[str, str] = os.environ) -> ModelSource:
    """What `reference` means; the first of these that fits.

    An existing folder; an existing `.json` file; a GGUF file; `minilm`, whose pretrained weights come in a package; a built-in name
    or alias, whatever its case; a hub name that the cache holds; the hub name of a built-in while the hub is forbidden
    (`HF_HUB_OFFLINE`); any other hub name while it is not. No connection is opened: a `HubName` without `cached` is
    for the loader to fetch, and `unknown` is what to raise where that fails.

    Raises `UnknownModel`, `ModelError` (a folder or file that is there and is no model), `MissingExtra` (MiniLM).
    """
    if not reference.strip() or not _is_text(reference):
        raise UnknownModel(m("The model has no name."), m("The reference is empty or no text."), _LIST)
    path = Path(os.path.expanduser(reference))
    # Not Path's own tests, which raise where a text cannot be a path at all (too long, an unknown ~user).
    if os.path.isdir(path):
        return read_folder(path)
    if os.path.isfile(path):
        if _begins_with(path, _ZIP):
            raise ModelError(
                m("{path} must be a model.", path=str(path)),
                m("It is a zip archive, as a saved run is."),
                m(
                    "For a saved run use `cyclescope show` or `cyclescope compare`; a model is a folder or a config.json."
                ),
            )
        if path.suffix == ".json":
            return ConfigFile(path, read_config(path))
        if _is_gguf(path):
            return GgufFile(path)
        raise ModelError(
            m("{path} must be a model.", path=str(path)),
            m("A model is a folder or a config.json; this is a file of another kind."),
            m("Name the folder that holds its {config}.", config=CONFIG),
        )
    if _looks_like_a_path(reference):
        raise UnknownModel(m("There is no file or folder {path}.", path=str(path)), "", _suggest(reference))
    if reference.lower() in MINILM_NAMES:
        return read_folder(require_minilm())
    return _named(reference, environment)


def _is_gguf(path: Path) -> bool:
    """Whether it begins as https://github.com/ggml-org/ggml/blob/master/docs/gguf.md says."""
    return _begins_with(path, _GGUF)


def _begins_with(path: Path, head: bytes) -> bool:
    """Whether these are the first bytes of a file; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(head)) == head
    except OSError:
        return False


def _named(reference: str, environment: Mapping[str, str]) -> ModelSource:
    entry = find(reference)
    if entry is not None and "/" not in reference:
        return BuiltIn(entry, cached_checkpoint(entry, environment))
    if not hub_cache.is_hub_name(reference):
        raise UnknownModel(
            m("There is no model {name}.", name=repr(reference)),
            m("It is no possible hub name either."),
            _suggest(reference),
        )
    cached = _cached(reference, environment)
    if cached is not None or not hub_cache.is_offline(environment):
        return HubName(reference, cached, entry)
    if entry is not None:
        return BuiltIn(entry, None)
    raise unknown(
        reference,
        m(
            "It is not in the cache of the hub ({folder}), and HF_HUB_OFFLINE forbids to fetch it.",
            folder=str(hub_cache.cache_folder(environment)),
        ),
    )


def _cached(name: str, environment: Mapping[str, str]) -> LocalFolder | None:
    snapshot = hub_cache.cached_snapshot(name, environment)
    return None if snapshot is None else read_folder(snapshot)


def cached_checkpoint(entry: Architecture, environment: Mapping[str, str] = os.environ) -> LocalFolder | None:
    """The published checkpoint of a built-in architecture, if the hub's cache holds it intact."""
    for name in entry.hub_names:
        with suppress(ModelError):
            if (found := _cached(name, environment)) is not None:
                return found
    return None


def unknown(reference: str, cause: Text) -> UnknownModel:
    """The error for a name that neither this machine nor the hub knows, with names that are close to it."""
    return UnknownModel(m("The model {name} is not available.", name=repr(reference)), cause, _suggest(reference))


def refuse_remote_code(source: ModelSource) -> None:
    """Raise `RemoteCodeRefused` where the model names Python code that came with its files."""
    found = source.cached if isinstance(source, BuiltIn | HubName) else source
    if found is not None and found.needs_remote_code:
        raise RemoteCodeRefused(
            m("The model in {path} needs Python code that came with it.", path=str(found.path)),
            m("Its configuration has an `auto_map`, and running such code gives it every right that you have."),
            m(
                "Use a model whose class transformers contains, or remove `auto_map` from config.json if it does. "
                "If you trust the code: --trust-remote-code."
            ),
        )


_ZIP, _GGUF = b"PK\x03\x04", b"GGUF"
_LIST = m("`cyclescope models` lists the built-in architectures.")


def _is_text(reference: str) -> bool:
    """Whether the system can be asked for it at all."""
    try:
        return b"\0" not in os.fsencode(reference)
    except UnicodeError:
        return False


def _looks_like_a_path(reference: str) -> bool:
    return (
        reference.startswith(("/", "./", "../", "~", ".\\", "..\\"))
        or reference.endswith((".json", "/", "\\"))
        or reference.count("/") > 1
    )


def _suggest(reference: str) -> Text:
    """Built-in names close to the last part of `reference`, as a way out."""
    spellings = {spelling.lower(): a.name for a in architectures() for spelling in a.spellings}
    spellings.update(dict.fromkeys(MINILM_NAMES, "minilm"))
    wanted = reference.lower().rstrip("/").rpartition("/")[2]
    close = difflib.get_close_matches(wanted, spellings, n=5, cutoff=0.6)
    names = list(dict.fromkeys(spellings[match] for match in close))[:3]
    return sentences(m("Did you mean {name}?", name=_choice(names)), _LIST) if names else _LIST


def _choice(names: list[str]) -> Text:
    """`a or b or c`."""
    first, *rest = names
    return m("{first} or {second}", first=first, second=_choice(rest)) if rest else first
