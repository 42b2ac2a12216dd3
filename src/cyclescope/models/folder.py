"""What lies in a model folder, read without opening a weight."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclescope.core.errors import ModelError
from cyclescope.core.message import m

CONFIG = "config.json"
SAFETENSORS = "model.safetensors"
SAFETENSORS_INDEX = "model.safetensors.index.json"
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack", "model.ckpt.index")
ADAPTER_CONFIG = "adapter_config.json"
GGUF = ".gguf"
_WEIGHTS = (".safetensors", GGUF, ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
_OF_TRAINING = ("training_args", "optimizer", "scheduler", "rng_state", "scaler", "adapter_model")
# Either file of a row is a whole tokenizer to transformers; vocab.json needs its merges.
_TOKENIZERS = (
    ("tokenizer.json",),
    ("vocab.txt",),
    ("vocab.json", "merges.txt"),
    ("tokenizer.model",),
    ("spiece.model",),
    ("sentencepiece.bpe.model",),
    ("spm.model",),
    ("source.spm", "target.spm"),
)


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder with a configuration, as `save_pretrained` writes it.

    `has_safetensors` says that loadable weights are there in full, `missing_shards` names those that an index promises
    and the folder lacks; `pickled` names the weight file of another format where there is no safetensors file.
    `other_weights` names files that look like weights where none of these is there, which nobody reads under their names.
    `needs_remote_code` is set where the configuration names Python code that came with the files.
    """

    path: Path
    model_type: str
    has_safetensors: bool
    pickled: str
    missing_shards: tuple[str, ...]
    has_tokenizer: bool
    needs_remote_code: bool
    other_weights: tuple[str, ...] = ()

    @property
    def has_pickle_only(self) -> bool:
        return bool(self.pickled)


def read_folder(path: Path) -> LocalFolder:
    """Facts of the model folder `path`. Raises `ModelError` without a usable `config.json`."""
    if not os.access(path, os.R_OK | os.X_OK):
        raise ModelError(
            m("The folder {path} cannot be read.", path=str(path)), m("Permission denied."), m("Check its permissions.")
        )
    if not (path / CONFIG).is_file() and (path / ADAPTER_CONFIG).is_file():
        raise _is_adapter(path)
    if not (path / CONFIG).is_file():
        gguf = next((name for name in _other_weights(path) if name.endswith(GGUF)), None)
        raise ModelError(
            m("The folder {path} must be a model.", path=str(path)),
            m("It has no {config}.", config=CONFIG),
            m("Name the folder that save_pretrained wrote, or for a model from the hub its snapshot folder.")
            if gguf is None
            else m("Name the file: {path}.", path=str(path / gguf)),
        )
    config = read_config(path / CONFIG)
    shards = _missing_shards(path)
    complete = (path / SAFETENSORS).is_file() or (shards is not None and not shards)
    found = next((name for name in PICKLED if (path / name).is_file()), "")
    return LocalFolder(
        path=path,
        model_type=str(config["model_type"]),
        has_safetensors=complete,
        pickled="" if complete or shards else found,
        missing_shards=() if complete else shards or (),
        has_tokenizer=any(all((path / name).is_file() for name in row) for row in _TOKENIZERS),
        needs_remote_code=bool(config.get("auto_map")),
        other_weights=() if complete or shards or found else _other_weights(path),
    )


def _is_adapter(path: Path) -> ModelError:
    """The error for a folder that holds what was trained on top of another model, and not the model."""
    try:
        base = json.loads((path / ADAPTER_CONFIG).read_bytes()).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError, RecursionError):
        base = None
    return ModelError(
        m("The folder {path} must be a model.", path=str(path)),
        m("It is an adapter for {base}.", base=str(base)) if base else m("It is an adapter for another model."),
        m(
            "Merge both with peft: AutoPeftModel.from_pretrained(FOLDER).merge_and_unload().save_pretrained(NEW), "
            "with AutoPeftModelForCausalLM for a model that writes."
        ),
    )


def _other_weights(path: Path) -> tuple[str, ...]:
    """Files that look like weights of the model, by their endings; what a training leaves besides is none."""
    try:
        names = sorted(entry.name for entry in path.iterdir() if entry.is_file())
    except OSError:
        return ()
    return tuple(name for name in names if name.endswith(_WEIGHTS) and not name.startswith(_OF_TRAINING))


def read_config(path: Path) -> Mapping[str, Any]:
    """The configuration in the JSON file `path`. Raises `ModelError` where it cannot be one."""
    fact = m("{path} must be a model configuration.", path=str(path))
    way_out = m("Use the config.json that was published with the model, or one that save_pretrained wrote.")
    try:
        config = json.loads(path.read_bytes())
    except OSError as exc:
        raise ModelError(
            m("{path} cannot be read.", path=str(path)),
            exc.strerror or str(exc),
            m("Check the file and its permissions."),
        ) from exc
    except (ValueError, RecursionError) as exc:
        raise ModelError(fact, m("It is not JSON: {why}.", why=str(exc)), way_out) from exc
    if not isinstance(config, dict):
        raise ModelError(fact, m("Its JSON is not an object."), way_out)
    if not isinstance(config.get("model_type"), str) or not config["model_type"]:
        raise ModelError(fact, m("It names no `model_type`."), way_out)
    return config


def _missing_shards(path: Path) -> tuple[str, ...] | None:
    """Weight files that the index names and the folder lacks; None without an index."""
    index = path / SAFETENSORS_INDEX
    if not index.is_file():
        return None
    try:
        content = json.loads(index.read_bytes())
        names = sorted({str(name) for name in content["weight_map"].values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ModelError(
            m("{path} must be an index of weight files.", path=str(index)),
            m("It cannot be read as one."),
            m("Copy the model folder again, in full."),
        ) from exc
    return tuple(name for name in names if not (path / name).is_file())
