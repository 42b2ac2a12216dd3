"""Models that tests export to ONNX are exported once: the file is kept for every later test, process and worker of a session.

The exporter takes seconds for the smallest model, whatever a test wants of the file afterwards. What is kept is found again
by all that goes into the file: structure, weights, code, options. What has further hooks or code of its own is exported anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import torch

FOLDER = "CYCLESCOPE_TESTS_EXPORTS"  # the variable that tells the processes of tests where files are kept
_KNOWN = ("cyclescope", "transformers")  # whose hooks are the same for the same model
_PLAIN = (bool, int, float, str, type(None))


def keep_exports(folder: str) -> None:
    """From now on `torch.onnx.export` keeps its files in `folder`, and takes from there what it is asked for again."""
    original = torch.onnx.export

    def export(model: Any, given: tuple[Any, ...], path: str, **options: Any) -> None:
        key = _key(model, given, options)
        kept = Path(folder) / f"{key}-{Path(path).name}"
        if key is not None and kept.exists():
            _copy(kept, Path(path).parent)
            return
        _read_operations_once()
        original(model, given, path, **options)
        if key is not None:
            half = Path(tempfile.mkdtemp(dir=folder))
            for file in Path(path).parent.glob(f"{Path(path).name}*"):
                shutil.copyfile(file, half / file.name)
            with suppress(OSError):  # another worker was quicker
                half.rename(kept)

    torch.onnx.export = export


def _copy(kept: Path, folder: Path) -> None:
    for file in kept.iterdir():
        shutil.copyfile(file, folder / file.name)


@cache
def _read_operations_once() -> None:
    """The exporter reads the sources of its five hundred operations anew for each file."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    ONNXRegistry.from_torchlib = staticmethod(cache(ONNXRegistry.from_torchlib))


def _key(model: torch.nn.Module, given: tuple[Any, ...], options: dict[str, Any]) -> str | None:
    """A name for all that goes into the file; None where that cannot be told."""
    digest = hashlib.blake2b(digest_size=16)
    for path, module in model.named_modules():
        if "forward" in vars(module) or any(hook.__module__.partition(".")[0] not in _KNOWN for hook in _hooks(module)):
            return None
        kind, config = type(module), getattr(module, "config", None)
        plain = sorted((name, value) for name, value in vars(module).items() if isinstance(value, _PLAIN))
        told = (path, kind.__module__, kind.__qualname__, kind.forward.__code__.co_code, plain)
        digest.update(repr(told).encode())
        if config is not None:
            said = config.to_dict() | {"_name_or_path": None, "attention": config._attn_implementation}
            digest.update(json.dumps(said, default=str, sort_keys=True).encode())
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        digest.update(repr((name, tensor.dtype, tensor.shape)).encode())
        digest.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().data)
    digest.update(repr([(tensor.dtype, tensor.shape) for tensor in given]).encode())
    digest.update(repr(sorted(options.items())).encode())
    return digest.hexdigest()


def _hooks(module: torch.nn.Module) -> Iterator[Any]:
    return chain(module._forward_hooks.values(), module._forward_pre_hooks.values())


def shared_folder(base: Path) -> str:
    """The folder of a session that is shared by its workers, each of which has `base` for itself."""
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "exports"
    folder.mkdir(exist_ok=True)
    return str(folder)
