"""The calls of a cycle on PyTorch, as an engine takes them that knows arrays only."""

from __future__ import annotations

from cyclescope.backends.artifacts.call import ArrayCall
from cyclescope.backends.artifacts.structure import TextEnds
from cyclescope.backends.torch.loading.heads import is_decoder
from cyclescope.backends.torch.results import classes_of
from cyclescope.backends.torch.steps import Steps, arrays_of


def array_call(steps: Steps, task: str) -> ArrayCall:
    """The call that `steps` make in a cycle of `task`."""
    config = getattr(steps.model, "config", None)
    read_out = type(steps.read_out).__name__ if steps.read_out is not None else ""
    return ArrayCall(
        encode=steps.arrays,
        fixed=arrays_of(steps.fixed) if steps.writer is None else {},
        ends=TextEnds(steps.tokenizer_name if steps.encode is not None else "", steps.text_bytes, read_out),
        class_name=type(steps.model).__name__,
        read_out=steps.read_out,
        words_are_safe=steps.keep_words,
        new_tokens=steps.writer.new_tokens if steps.writer is not None else 0,
        repeats_prompt=not getattr(config, "is_encoder_decoder", False),
        classes=classes_of(config) if task == "classify" else (),
        generates=is_decoder(config),
    )
