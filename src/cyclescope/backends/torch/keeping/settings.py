"""Global settings of PyTorch, transformers and the hub's client. Importing this file imports none of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, getLogger
from typing import Any

from cyclescope.backends.settings import Setting, keeping_settings


def _torch() -> Any:
    return sys.modules["torch"]


def quiet() -> None:
    """Have transformers show errors only, and no bars, until its settings are put back."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextmanager
def quietly() -> Iterator[None]:
    """While open, transformers shows errors only, and so does the hub's client, which would tell of every try."""
    import transformers

    assert transformers.__version__
    hub = getLogger("huggingface_hub")
    level = hub.level
    with keeping_settings(_TALK):
        hub.setLevel(ERROR)
        quiet()
        try:
            yield
        finally:
            hub.setLevel(level)


def _random() -> tuple[Any, list[Any] | None]:
    """The state of the processor's generator, and of the devices' where one was used already."""
    torch = _torch()
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None


def _set_random(before: tuple[Any, list[Any] | None]) -> None:
    torch, (own, devices) = _torch(), before
    torch.set_rng_state(own)
    if devices is not None:
        torch.cuda.set_rng_state_all(devices)
    elif torch.cuda.is_initialized():
        for generator in torch.cuda.default_generators:  # as they are before their first use
            generator.manual_seed(torch.Generator().initial_seed())


def _threads() -> int:
    return int(_torch().get_num_threads())


def _set_threads(before: int) -> None:
    if _threads() != before:
        _torch().set_num_threads(before)


def _defaults() -> tuple[Any, Any, bool]:
    torch = _torch()
    return torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()


def _set_defaults(before: tuple[Any, Any, bool]) -> None:
    torch, (dtype, device, grad) = _torch(), before
    torch.set_default_dtype(dtype)
    if torch.get_default_device() != device:
        torch.set_default_device(device)
    torch.set_grad_enabled(grad)


def _configuration_of(name: str) -> Setting:
    """The settings that the module `name` keeps for the compiler."""

    def read() -> dict[str, Any]:
        module = sys.modules[name]
        values: dict[str, Any] = getattr(module, "get_config_copy", module.shallow_copy_dict)()
        return values

    def write(before: dict[str, Any]) -> None:
        now = read()
        for key, value in before.items():
            if now[key] != value:
                setattr(sys.modules[name], key, value)

    return Setting(name, read, write)


def _verbosity() -> tuple[int, bool]:
    from transformers.utils import logging

    return logging.get_verbosity(), logging.is_progress_bar_enabled()


def _set_verbosity(before: tuple[int, bool]) -> None:
    from transformers.utils import logging

    verbosity, bars = before
    logging.set_verbosity(verbosity)
    if logging.is_progress_bar_enabled() != bars:
        (logging.enable_progress_bar if bars else logging.disable_progress_bar)()


_HUB = "huggingface_hub.utils.tqdm"


def _hub_bars() -> dict[str, bool]:
    return dict(sys.modules[_HUB].progress_bar_states)


def _set_hub_bars(before: dict[str, bool]) -> None:
    states = sys.modules[_HUB].progress_bar_states
    states.clear()
    states.update(before)


# Put back from the last to the first: the bars of transformers switch those of the hub, too.
_TALK = (Setting(_HUB, _hub_bars, _set_hub_bars), Setting("transformers", _verbosity, _set_verbosity))
SETTINGS = (
    Setting("torch", _random, _set_random),
    Setting("torch", _threads, _set_threads),
    Setting("torch", _defaults, _set_defaults),
    _configuration_of("torch._dynamo.config"),
    _configuration_of("torch._inductor.config"),
    *_TALK,
)
