"""Everything global and everything on objects of the user's, as values that can be compared."""

from __future__ import annotations

import gc
import logging
import os
import random
import signal
import sys
import warnings
from typing import Any

import numpy as np
import torch
import torch._dynamo.config
import torch._inductor.config
import transformers
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack


def everything_global() -> dict[str, Any]:
    """Settings of Python, NumPy, PyTorch, transformers and the hub's client, by name; and every name of PyTorch."""
    _, keys, *rest = np.random.get_state()
    hub = sys.modules["huggingface_hub.utils.tqdm"]
    found: dict[str, Any] = {
        "random of Python": random.getstate(),
        "random of NumPy": (np.asarray(keys).tobytes(), *rest),
        "random of PyTorch": torch.get_rng_state().numpy().tobytes(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "default dtype": torch.get_default_dtype(),
        "default device": torch.get_default_device(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "determinism": (torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()),
        "modes": (len(_get_current_function_mode_stack()), len(_get_current_dispatch_mode_stack())),
        "bars": (transformers.utils.logging.is_progress_bar_enabled(), dict(hub.progress_bar_states)),
        "logging": logging.root.manager.disable,
        "environment": dict(os.environ),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "warnings": list(warnings.filters),
        "garbage": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "streams": (id(sys.stdout), id(sys.stderr)),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "settings of Dynamo": torch._dynamo.config.get_config_copy(),
        "settings of Inductor": torch._inductor.config.get_config_copy(),
    }
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    for logger in loggers:
        if isinstance(logger, logging.Logger) and not logger.name.startswith("cyclescope"):
            found[f"logger {logger.name}"] = (logger.level, logger.disabled, logger.propagate, list(logger.handlers))
    for space in (torch, torch.nn.functional, torch.Tensor, torch.nn.Module, torch.nn.Linear):
        names = {name: id(value) for name, value in vars(space).items() if name != "__slotnames__"}  # copy's own notes
        found[f"names of {space.__name__}"] = names
    return found


def all_of(thing: Any) -> dict[str, Any]:
    """What hangs on `thing`, by the path that leads there: tensors with their values, the others as they are written."""
    found: dict[str, Any] = {}
    rest, seen = [("", thing)], set()
    while rest:
        path, value = rest.pop()
        if isinstance(value, torch.Tensor):
            found[path] = (
                value.dtype, tuple(value.shape), value.data_ptr(), value.requires_grad, value.is_inference(),
                value.grad is None, value.detach().reshape(-1).tolist(),
            )  # fmt: skip
        elif isinstance(value, torch.Generator):
            found[path] = value.get_state().tolist()
        elif isinstance(value, dict):
            found[path] = list(value)
            rest += [(f"{path}[{key!r}]", part) for key, part in value.items()]
        elif isinstance(value, list | tuple):
            found[path] = len(value)
            rest += [(f"{path}[{k}]", part) for k, part in enumerate(value)]
        elif type(value).__module__ == "tokenizers":
            found[path] = (value.to_str(), value.padding, value.truncation)
        elif callable(getattr(value, "to_dict", None)) and not isinstance(value, torch.nn.Module):
            found[path] = value.to_dict()
        elif hasattr(value, "__dict__") and not isinstance(value, type) and not callable_alone(value):
            if id(value) not in seen:
                seen.add(id(value))
                rest.append((f"{path}.", vars(value)))
        else:
            found[path] = id(value) if callable(value) else repr(value)
    return found


def callable_alone(value: Any) -> bool:
    """Functions and their like, which are what they are."""
    return callable(value) and not isinstance(value, torch.nn.Module) and not hasattr(value, "vocab_size")


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The names in `before` whose values are others in `after`."""
    return [name for name, value in before.items() if name not in after or not _alike(value, after[name])]


def _alike(left: Any, right: Any) -> bool:
    return bool(left == right)
