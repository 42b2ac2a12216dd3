"""Carries out a plan other than the unmodified model on PyTorch: changes, quantization, compiling, several calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.calls import calls_of
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.changes.catalogue import make_changes
from cyclescope.backends.torch.changes.change import Subject
from cyclescope.backends.torch.changes.layers import longest_stack
from cyclescope.backends.torch.loading.inputs import prepare
from cyclescope.backends.torch.loading.loading import Loaded, load
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.standalone.compiling import compiled
from cyclescope.backends.torch.standalone.drafting import first_layers
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.backends.torch.standalone.packing import Packed
from cyclescope.backends.torch.standalone.quantizing import quantized
from cyclescope.backends.torch.steps import Inputs, Steps
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.core.plan import LOOKED_UP_TOKENS, Batching, Compiling, Decoding, Plan, Quantization
from cyclescope.core.workload import Workload

_QUANTIZATION = (Quantization.OFF, Quantization.INT8_DYNAMIC)

Trace = Callable[[Steps, Inputs], Graph | None]


def open_planned(
    request: Request, loaded: Loaded, plan: Plan, machine: Machine, times: OpenTimes, trace: Trace
) -> TorchSession | TorchCalls:
    """A session for a request with a plan. Raises `Unsupported` for what PyTorch cannot make of it."""
    _refuse(plan)
    model: Any = loaded.model
    notes: list[Text] = [loaded.note] if loaded.note else []
    with engine_errors(m("prepare the input")):
        calls, texts, workload, more = calls_for(request, loaded, plan)
    notes += more
    edits: tuple[Edit, ...] = ()
    with engine_errors(m("change the model")):
        if request.edits:
            edit(model, [(e.what, e.path, e.numbers) for e in request.edits], request.files)
            edits = request.edits
        elif plan.changes:
            traced = trace(calls[0], calls[0].inputs())
            if traced is None:
                raise Unsupported(m("The model cannot be changed."), m("Its structure is unknown without its weights."))
            subject = Subject(
                model,
                traced,
                [{**steps.inputs(), **steps.fixed} for steps in calls],
                [number for some in texts for number in some],
                files=request.files,
                tokenizer=loaded.tokenizer if request.texts else None,
                write=(lambda: [_written(steps) for steps in calls]) if calls[0].writer is not None else None,
            )
            made = make_changes(subject, plan.changes)
            edits = made.edits
            notes.append(made.said)
        if plan.quantization == Quantization.INT8_DYNAMIC:
            loaded = replace(loaded, model=quantized(model))
        if plan.drafting != "off" and (calls[0].writer is None or any(len(some) > 1 for some in texts)):
            raise Unsupported(m("Drafting needs batch size 1."), "", m("Use --batch 1."))
        drafting = _drafting(request, loaded, plan)
        calls = tuple(_on(steps, loaded.model, plan, workload, drafting) for steps in calls)
    if len(calls) > 1:
        return TorchCalls(calls, texts, workload, plan, machine, times, notes, edits)
    return TorchSession(calls[0], workload, plan, machine, times, notes=notes, edits=edits)


def _refuse(plan: Plan) -> None:
    if plan.quantization not in _QUANTIZATION:
        raise Unsupported(
            m("PyTorch does not support the {name} {value}.", name="quantization", value=repr(plan.quantization.value)),
            "",
            m("It supports {known}.", known=", ".join(_QUANTIZATION)),
        )
    if plan.drafting != "off" and plan.decoding != Decoding.GREEDY:
        raise Unsupported(m("Drafting needs greedy decoding."), "", "")
    if plan.threads_between:
        raise Unsupported(m("PyTorch runs the operations of a model one after the other."), "", "")
    if plan.quantization != Quantization.OFF and plan.compiling != Compiling.OFF:
        raise Unsupported(m("A quantized model cannot be compiled."), m("Its layers are opaque to the compiler."), "")


def calls_for(
    request: Request, loaded: Loaded, plan: Plan
) -> tuple[tuple[Steps, ...], tuple[tuple[int, ...], ...], Workload, list[Text]]:
    """The calls of a cycle, the texts of each, the workload that they carry out together, and notes."""
    if not request.texts or not plan.batch or plan.batch >= len(request.texts):
        steps, workload, notes = prepare(request, loaded)
        return (steps,), (tuple(range(workload.batch)),), workload, list(notes)
    lengths = [len(ids) for ids in loaded.tokenizer(list(request.texts), verbose=False)["input_ids"]]
    groups = calls_of(lengths, plan)
    made = [
        prepare(replace(request, texts=tuple(request.texts[k] for k in group), batch=None), loaded) for group in groups
    ]
    workloads = [workload for _, workload, _ in made]
    whole = replace(
        workloads[0],
        batch=sum(w.batch for w in workloads),
        tokens_in=max(w.tokens_in for w in workloads),
        real_tokens=sum(w.real_tokens for w in workloads),
        padded_tokens=sum(w.batch * w.tokens_in for w in workloads),
        characters=sum(w.characters for w in workloads),
        text_bytes=sum(w.text_bytes for w in workloads),
        cut_tokens=sum(w.cut_tokens for w in workloads),
        texts=tuple(text for w in workloads for text in w.texts),
    )
    said = list(dict.fromkeys(note for _, _, more in made for note in more))
    return tuple(steps for steps, _, _ in made), groups, whole, said


def _written(steps: Steps) -> torch.Tensor:
    """The token ids that are written in a call [texts, tokens]."""
    assert steps.writer is not None
    with torch.inference_mode():
        written: torch.Tensor = steps.run(steps.inputs())[:, -steps.writer.new_tokens :]
    return written


def _drafting(request: Request, loaded: Loaded, plan: Plan) -> dict[str, Any]:
    """The settings of `generate` that have tokens guessed. Raises `Unsupported`."""
    model: Any = loaded.model
    if plan.drafting == "off":
        return {}
    if plan.drafting == "prompt-lookup":
        return {"prompt_lookup_num_tokens": LOOKED_UP_TOKENS}
    if getattr(model.config, "is_encoder_decoder", False):
        raise Unsupported(m("Only decoders can take a draft."), "", "")
    kind, _, number = plan.drafting.partition(":")
    if kind == "layers" and number.isascii() and number.isdigit():
        _, stack = longest_stack(model)
        if not 0 < int(number) < len(stack):
            raise Unsupported(
                m(
                    "A draft must have fewer than the {count} layers of the model (got {number}).",
                    count=len(stack),
                    number=number,
                )
            )
        return {"assistant_model": first_layers(model, int(number))}
    asked = replace(request, model=plan.drafting, texts=(), plan=None, edits=(), task="generate", weights="auto")
    other = load(asked)
    draft: Any = other.model
    same = draft.config.get_text_config().vocab_size == model.config.get_text_config().vocab_size
    if same and loaded.tokenizer is not None and other.tokenizer is not None:
        same = loaded.tokenizer.get_vocab() == other.tokenizer.get_vocab()
    if not same:
        raise Unsupported(
            m("{drafting} cannot be a draft for {reference}.", drafting=plan.drafting, reference=loaded.reference),
            m("Its vocabulary differs."),
            m("Name a smaller model of the same family."),
        )
    return {"assistant_model": draft}


def _on(steps: Steps, model: Any, plan: Plan, workload: Workload, drafting: dict[str, Any]) -> Steps:
    """The same call, of the model as the plan wants it."""
    if plan.compiling != Compiling.OFF:
        compiled(model, freezing=plan.compiling == Compiling.INDUCTOR_FREEZING)
    if steps.writer is not None:
        if drafting:
            steps.writer.draft(**drafting)
        return replace(steps, model=model, writer=steps.writer.of(model))
    steps = replace(steps, model=model)
    return replace(steps, model=_packed(steps, workload.task)) if plan.batching == Batching.PACKED else steps


def _packed(steps: Steps, task: str) -> Packed:
    """What to call in place of the model of `steps`. Raises `Unsupported` where it would not be the same."""
    if task != "embed" or steps.writer is not None:
        raise Unsupported(m("Packed texts need --task embed."), "", m("Use --task embed."))
    if "attention_mask" not in steps.inputs():
        raise Unsupported(m("There is no attention mask that marks padding."), "", "")
    config: Any = getattr(steps.model, "config", None)
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise Unsupported(m("Only encoders can take packed texts."), "", "")
    return Packed(steps.model)
