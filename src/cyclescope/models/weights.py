"""Which weights a model runs with: the trained ones where they may be loaded, random ones where only timing matters."""

from __future__ import annotations

from typing import Literal, TypeAlias

from cyclescope.core.errors import WeightsMissing
from cyclescope.core.message import m, sentences
from cyclescope.core.workload import Weights
from cyclescope.models.folder import SAFETENSORS, LocalFolder
from cyclescope.models.reference import BuiltIn, ConfigFile, HubName, ModelSource

Wanted: TypeAlias = Literal["auto", "pretrained", "random"]

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
    with `auto` too: whoever has them does not expect random numbers instead.

    Raises `WeightsMissing`.
    """
    if wanted == "random":
        return Weights.RANDOM
    folder = weights_folder(source)
    broken = folder is not None and (folder.has_pickle_only or bool(folder.missing_shards))
    if wanted == "pretrained" or broken:
        require_weights(source)
        return Weights.PRETRAINED
    fetchable = isinstance(source, HubName) and source.cached is None
    return Weights.PRETRAINED if fetchable or (folder is not None and folder.has_safetensors) else Weights.RANDOM


def require_weights(source: ModelSource) -> None:
    """Raise `WeightsMissing` unless trained weights are on this disk, or a hub name is there to fetch them by."""
    folder = weights_folder(source)
    if isinstance(source, HubName) and folder is None:
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
    raise WeightsMissing(
        m("The folder {path} has no weights.", path=str(folder.path)),
        m("There is a configuration and no {file}.", file=SAFETENSORS),
        sentences(m("Copy the weights beside the configuration."), _RANDOM),
    )
