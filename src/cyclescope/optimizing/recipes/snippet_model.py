"""Where the code of a recipe gets its model and its tokenizer from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cyclescope.backends.registry import full_configuration
from cyclescope.core.errors import UnknownModel, Unsupported
from cyclescope.core.message import m
from cyclescope.core.workload import Weights
from cyclescope.models.folder import CONFIG, read_config
from cyclescope.models.guess import tokenizer_facts
from cyclescope.models.packaged import MINILM_HUB_NAME, MINILM_NAMES
from cyclescope.models.reference import BuiltIn, ConfigFile, HubName, ModelSource, refuse_remote_code, resolve
from cyclescope.models.standin import StandIn, stand_in
from cyclescope.models.weights import choose_weights, weights_folder
from cyclescope.optimizing.recipes.recipe import Recipe


@dataclass(frozen=True, eq=False)
class SnippetModel:
    """`reference` is what the code loads by itself: a folder, or a name on the hub; empty where the weights are random,
    which are made from `config` with the plan's seed. `place` is where the same lies here. `tokenizer` is a reference,
    or a stand-in that must be written beside the code.
    """

    reference: str
    place: str
    tokenizer: str | StandIn
    config: Mapping[str, Any] | None = None


def model_for(recipe: Recipe, model: str | None = None) -> SnippetModel:
    """The model of `recipe`, or `model` in its place. Raises `ModelError` and its kin."""
    name = model or recipe.model.reference
    try:
        source = resolve(name)
    except UnknownModel as error:
        if model is not None:
            raise
        raise UnknownModel(
            m("The recipe's model {name} is not available.", name=repr(name)),
            error.fact,
            m("Name it: --model FOLDER_OR_NAME."),
        ) from error
    refuse_remote_code(source)
    random = recipe.model.weights == "random" if model is None else choose_weights(source, "auto") is Weights.RANDOM
    folder = weights_folder(source)
    own = (folder is not None and folder.has_tokenizer) or (folder is None and isinstance(source, HubName))
    reference = _reference(name, source)
    if random:
        config = _config(source)
        return SnippetModel("", "", reference if own else _stand_in(source, name), config)
    if not own:
        raise Unsupported(
            m("{name} has no tokenizer.", name=name),
            m("The code needs one."),
            m("Save the tokenizer to that folder."),
        )
    return SnippetModel(reference, str(folder.path) if folder is not None else reference, reference)


def _reference(name: str, source: ModelSource) -> str:
    """What `from_pretrained` takes anywhere; of a folder of this machine its whole path."""
    if name.lower() in MINILM_NAMES:
        return MINILM_HUB_NAME
    if isinstance(source, HubName):
        return source.name
    if isinstance(source, BuiltIn):
        return source.entry.hub_names[0] if source.entry.hub_names else name
    return str(source.path.resolve())


def _config(source: ModelSource) -> Mapping[str, Any]:
    """What the architecture is built from."""
    if isinstance(source, ConfigFile):
        return source.config
    folder = weights_folder(source)
    if folder is not None:
        return read_config(folder.path / CONFIG)
    if isinstance(source, BuiltIn):
        return source.entry.config
    raise Unsupported(
        m("The model's configuration is on the hub and not on this machine."), "", m("Name a folder with --model.")
    )


def _stand_in(source: ModelSource, name: str) -> StandIn:
    """The tokenizer that the model was measured with, where it has none of its own."""
    if isinstance(source, BuiltIn):
        return stand_in(source.entry.tokenizer)
    return stand_in(tokenizer_facts(full_configuration(name)))
