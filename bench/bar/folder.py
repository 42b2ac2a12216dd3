"""The model of a case as a folder that every peer and cyclescope itself read, and its made-up input as arrays.

    python bench/bar/folder.py MODEL FOLDER [BATCH TOKENS WRITES]

Run in a separate process: the run that measures holds no framework.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession


def main(model: str, folder: str, batch: int = 0, tokens: int = 0, writes: int = 0) -> None:
    """Save the model with its tokenizer unless it is there, and the input that `--tokens` makes of it."""
    from cyclescope.backends.torch.loading.loading import load

    made = Path(folder, "model")
    new_tokens = 1 if writes else None
    if not made.exists():
        loaded = load(Request(model=model, new_tokens=new_tokens))
        half = made.with_name("model.half")
        model_made: Any = loaded.model
        model_made.save_pretrained(half)
        loaded.tokenizer.save_pretrained(half)
        half.rename(made)
    if tokens:
        request = Request(model=str(made), tokens=tokens, batch=batch, new_tokens=new_tokens)
        session = open_session(request)
        assert isinstance(session, TorchSession)
        given: Any = session._steps.inputs()
        np.savez(Path(folder, f"{batch}x{tokens}.npz"), **{name: value.numpy() for name, value in given.items()})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(number) for number in sys.argv[3:]))
