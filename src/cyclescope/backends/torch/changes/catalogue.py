"""The changes of a model that PyTorch can make, by the names of their strategies."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import torch

from cyclescope.backends.torch.changes.activation import exact_gelu, relu, tanh_gelu
from cyclescope.backends.torch.changes.attention_heads import prune_heads
from cyclescope.backends.torch.changes.change import Edits, Maker, Subject
from cyclescope.backends.torch.changes.distil import distil
from cyclescope.backends.torch.changes.feed_forward import prune_feed_forward
from cyclescope.backends.torch.changes.layers import drop_layers, early_exit
from cyclescope.backends.torch.changes.low_rank import low_rank
from cyclescope.backends.torch.changes.vocabulary import trim_vocabulary
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import Series, Text, m
from cyclescope.core.plan import ModelChange

MAKERS: dict[str, Maker] = {
    "prune-heads": prune_heads,
    "prune-feed-forward": prune_feed_forward,
    "low-rank": low_rank,
    "drop-layers": drop_layers,
    "early-exit": early_exit,
    "distil": distil,
    "tanh-gelu": tanh_gelu,
    "exact-gelu": exact_gelu,
    "relu": relu,
    "trim-vocabulary": trim_vocabulary,
}
# What is factored cannot be pruned any more, and where layers have gone the others have new names. A student learns
# with what is left; activations come last, so that what it has learned goes for all of them.
_ORDER = tuple(MAKERS)


def make_changes(subject: Subject, changes: Sequence[ModelChange]) -> Edits:
    """Decide `changes` and make them to the model, one after the other. Raises `Unsupported`; the model is then half
    changed.
    """
    edits: list[Edit] = []
    said: list[Text] = []
    if any(change.name == "distil" for change in changes):
        again = {id(weight): _again(weight) for weight in subject.model.parameters()}
        subject = replace(subject, original=deepcopy(subject.model, again))
    for change in sorted(changes, key=lambda change: _ORDER.index(change.name) if change.name in _ORDER else -1):
        maker = MAKERS.get(change.name)
        if maker is None:
            raise Unsupported(
                m("Unknown model change {name}.", name=repr(change.name)),
                "",
                m("Known are {makers}.", makers=", ".join(MAKERS)),
            )
        made = maker(subject, change.amount)
        edit(subject.model, [(e.what, e.path, e.numbers) for e in made.edits], subject.files)
        edits += made.edits
        subject = replace(subject, earlier=(*subject.earlier, change))
        said.append(m("{change}: {what}", change=change.name, what=made.said))
    _require_running(subject)
    return Edits(tuple(edits), Series(tuple(said), "; "))


def _require_running(subject: Subject) -> None:
    """Run the changed model once. Raises `Unsupported` where its code cannot do with fewer numbers, as that which reshapes by
    the configuration, or looks into a module that is no longer what it was.
    """
    try:
        with torch.inference_mode():
            subject.model(**subject.inputs[0])
    except Exception as exc:
        line = next(iter(str(exc).splitlines()), "")
        raise Unsupported(
            m("The changed {name} does not run.", name=type(subject.model).__name__),
            f"{type(exc).__name__}: {line}"[:300],
        ) from exc


def _again(weight: torch.nn.Parameter) -> torch.nn.Parameter:
    """The same numbers in the same memory, as a parameter of another model."""
    return torch.nn.Parameter(weight.data, requires_grad=False)
