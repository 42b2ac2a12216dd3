"""The changes of a model that PyTorch can make, by the names of their strategies."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.backends.torch.changes.activation import relu, tanh_gelu
from cyclescope.backends.torch.changes.attention_heads import prune_heads
from cyclescope.backends.torch.changes.change import Edits, Maker, Subject
from cyclescope.backends.torch.changes.feed_forward import prune_feed_forward
from cyclescope.backends.torch.changes.layers import drop_layers
from cyclescope.backends.torch.changes.low_rank import low_rank
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.plan import Change

MAKERS: dict[str, Maker] = {
    "tanh-gelu": tanh_gelu,
    "relu": relu,
    "prune-heads": prune_heads,
    "prune-feed-forward": prune_feed_forward,
    "low-rank": low_rank,
    "drop-layers": drop_layers,
}
# What is factored cannot be pruned any more, and where layers have gone the others have new names.
_ORDER = tuple(MAKERS)


def make_changes(subject: Subject, changes: Sequence[Change]) -> Edits:
    """Decide `changes` and make them to the model, one after the other. Raises `Unsupported`; the model is then half
    changed.
    """
    edits: list[Edit] = []
    said = []
    for change in sorted(changes, key=lambda change: _ORDER.index(change.name) if change.name in _ORDER else -1):
        maker = MAKERS.get(change.name)
        if maker is None:
            raise Unsupported(f"PyTorch knows no change {change.name!r}.", "", f"Known are {', '.join(MAKERS)}.")
        made = maker(subject, change.amount)
        edit(subject.model, [(e.what, e.path, e.numbers) for e in made.edits])
        edits += made.edits
        said.append(f"{change.name}: {made.said}")
    return Edits(tuple(edits), "; ".join(said))
