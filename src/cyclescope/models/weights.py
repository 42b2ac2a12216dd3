"""Which weights a model runs with: the trained ones where they may be loaded, random ones where only timing matters."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from cyclescope.core.errors import WeightsMissing
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.workload import Weights
from cyclescope.models.folder import GGUF, SAFETENSORS, SAFETENSORS_INDEX, LocalFolder
from cyclescope.models.reference import BuiltIn, ConfigFile, GgufFile, HubName, ModelSource

Wanted: TypeAlias = Literal["auto", "pretrained", "random"]

_SHARD = re.compile(r".*-\d+-of-\d+\.safetensors")
_MOST_NAMES = 3
_RANDOM = m("Use --weights random: timing does not depend on the weights, only the outputs do.")


def weights_folder(source: ModelSource) -> LocalFolder | None:
    """The folder on this disk that the weights of `source` would come from, if there is one."""
    if isinstance(source, LocalFolder):
        return source
    return source.cached if isinstance(source, BuiltIn | HubName) else None


def choose_weights(source: ModelSource, wanted: Wanted) -> Weights:
    """The weights that `source` runs with when the user asked for `wanted`.

    `random` is always possible. `auto` takes trained weights that are on this disk in full, or that the hub's client
    would fetch for a name which the user spelled out; a configuration by itself and a built-in architecture run with
    random ones, which every report says. Weights that are there and may not be loaded (pickled, or cut) are an error
    with `auto` too: their owner does not expect random numbers instead.

    Raises `WeightsMissing`.
    """
    if wanted == "random":
        return Weights.RANDOM
    if isinstance(source, GgufFile):
        return Weights.PRETRAINED
    folder = weights_folder(source)
    broken = folder is not None and (folder.has_pickle_only or bool(folder.missing_shards))
    if wanted == "pretrained" or broken:
        require_weights(source)
        return Weights.PRETRAINED
    fetchable = isinstance(source, HubName) and source.cached is None
    return Weights.PRETRAINED if fetchable or (folder is not None and folder.has_safetensors) else Weights.RANDOM


def unread_weights(source: ModelSource) -> Text:
    """Why files that look like weights of `source` are not taken, and what to do; empty where there is none."""
    folder = weights_folder(source)
    return sentences(*_unread(folder)) if folder is not None and folder.other_weights else ""


def refuse_unread(source: ModelSource) -> None:
    """Raise `WeightsMissing` where `source` has weights that are not loaded, and outputs of random ones would count."""
    folder = weights_folder(source)
    if folder is not None and folder.other_weights:
        fact, why, way_out = _unread(folder)
        raise WeightsMissing(
            m("The drift of outputs needs the weights of the model."), sentences(fact, why), sentences(way_out, _RANDOM)
        )


def _unread(folder: LocalFolder) -> tuple[Text, Text, Text]:
    """That weights were not loaded, why not, and what to do about it."""
    names = folder.other_weights
    shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
    fact = m("The folder holds weights that were not loaded: {files}.", files=shown)
    if any(_SHARD.fullmatch(name) for name in names):
        why = m("They are shards, and {index} is missing.", index=SAFETENSORS_INDEX)
        return fact, why, m("Copy {index} beside them.", index=SAFETENSORS_INDEX)
    gguf = next((name for name in names if name.endswith(GGUF)), None)
    if gguf is not None:
        why = m("A GGUF file is loaded by its own path only.")
        return fact, why, m("Name the file: {path}.", path=str(folder.path / gguf))
    if any(name.endswith(".safetensors") for name in names):
        why = m("The name of a weight file must be {file}.", file=SAFETENSORS)
        return fact, why, m("Rename the file, or link it under that name.")
    return fact, m("Only safetensors files are loaded."), m("Save the model with save_pretrained.")


def require_weights(source: ModelSource) -> None:
    """Raise `WeightsMissing` unless trained weights are on this disk, or a hub name is there to fetch them by."""
    folder = weights_folder(source)
    if isinstance(source, GgufFile) or (isinstance(source, HubName) and folder is None):
        return
    if isinstance(source, BuiltIn) and folder is None:
        raise WeightsMissing(
            m("{name} is built in as an architecture, without weights.", name=source.entry.name),
            m("Trained weights are not shipped, and the hub's cache on this machine does not hold them."),
            sentences(m("Name it as on the hub ({name}) to fetch them.", name=source.entry.hub_names[0]), _RANDOM),
        )
    if folder is None:
        assert isinstance(source, ConfigFile)
        raise WeightsMissing(
            m("{path} is a configuration without weights.", path=str(source.path)),
            "",
            sentences(m("Name the folder that holds {file} beside it.", file=SAFETENSORS), _RANDOM),
        )
    _require_complete(folder)


def _require_complete(folder: LocalFolder) -> None:
    if folder.has_safetensors:
        return
    if folder.missing_shards:
        raise WeightsMissing(
            m("The weights in {path} are not complete.", path=str(folder.path)),
            m("The index names files that are not there: {files}.", files=", ".join(folder.missing_shards[:3])),
            sentences(m("Copy the model folder again, in full."), _RANDOM),
        )
    if folder.pickled:
        raise WeightsMissing(
            m("The only weights in {path} are in {file}.", path=str(folder.path), file=folder.pickled),
            m(
                "That format can run code while it is read, or is of another framework; only safetensors files are loaded."
            ),
            sentences(
                m("Convert it, if you trust it: AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER)."), _RANDOM
            ),
        )
    if folder.other_weights:
        fact, why, way_out = _unread(folder)
        raise WeightsMissing(
            m("No weights in {path} can be loaded.", path=str(folder.path)),
            sentences(fact, why),
            sentences(way_out, _RANDOM),
        )
    raise WeightsMissing(
        m("The folder {path} has no weights.", path=str(folder.path)),
        m("There is a configuration and no {file}.", file=SAFETENSORS),
        sentences(m("Copy the weights beside the configuration."), _RANDOM),
    )
