"""What a model reads: text, or pictures and sound, which the command line does not have."""

from __future__ import annotations

from typing import Any

from cyclescope.core.errors import Unsupported
from cyclescope.core.message import Message, m

# By the main input of a class, as transformers names it.
_READS: dict[str, Message] = {
    "pixel_values": m("pictures"),
    "pixel_values_videos": m("videos"),
    "input_features": m("sound"),
    "input_values": m("sound"),
    "past_values": m("time series"),
    "series": m("time series"),
}
# Configurations of a part of the model that reads something else than text.
_SIDE_BY_SIDE = ("vision_config", "audio_config")


def refuse_no_text(config: Any, reference: str) -> None:
    """Raise `Unsupported` where a model of this configuration cannot be called with tokens alone."""
    name = _main_input(config)
    beside = _reads_both(config)
    if name == "input_ids" and beside:
        name = "pixel_values" if hasattr(config, "vision_config") else "input_features"
    if name in _READS:
        names = f"'input_ids': …, {name!r}: …" if beside else f"{name!r}: …"
        raise Unsupported(
            m("{reference} reads {what}: text alone is no input for it.", reference=reference, what=_READS[name]),
            m("Its main input is {name}.", name=name) if not beside else m("It compares them with text."),
            m("Give it in Python: cyclescope.measure(model, inputs={{{names}}}).", names=names),
        )


def _main_input(config: Any) -> str:
    """The input that the class of a model is called with before all; `input_ids` where that is not known."""
    import transformers

    try:
        kind = transformers.AutoModel._model_mapping[type(config)]
    except (KeyError, AttributeError, ImportError):
        return "input_ids"
    kind = kind[0] if isinstance(kind, tuple) else kind
    return str(getattr(kind, "main_input_name", "input_ids"))


def _reads_both(config: Any) -> bool:
    """Whether a configuration is that of two encoders whose outputs are compared, such as CLIP's or CLAP's."""
    sides = any(hasattr(config, name) for name in _SIDE_BY_SIDE)
    return sides and hasattr(config, "text_config") and hasattr(config, "logit_scale_init_value")
