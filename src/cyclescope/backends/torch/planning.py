"""Makes a plan that departs from the model as it is real on PyTorch: changes, quantization, compiling, several calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.calls import calls_of
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.changes.catalogue import make_changes
from cyclescope.backends.torch.changes.change import Subject
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.inputs import prepare
from cyclescope.backends.torch.loading import Loaded
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.standalone.compiling import compiled
from cyclescope.backends.torch.standalone.packing import Packed
from cyclescope.backends.torch.standalone.quantizing import quantized
from cyclescope.backends.torch.steps import Inputs, Steps
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.workload import Workload

_COMPILING = ("off", "inductor", "inductor-freezing")
_QUANTIZATION = ("off", "int8-dynamic")
_BATCHING = ("given", "length", "packed")
# How many tokens prompt lookup guesses at once; the default of transformers' documentation.
_LOOKED_UP = 10

Trace = Callable[[Steps, Inputs], Graph | None]


def open_planned(
    request: Request, loaded: Loaded, plan: Plan, machine: Machine, times: OpenTimes, trace: Trace
) -> TorchSession | TorchCalls:
    """A session for a request with a plan. Raises `Unsupported` for what PyTorch cannot make of it."""
    _refuse(plan)
    model: Any = loaded.model
    notes = [loaded.note] if loaded.note else []
    with engine_errors("make the input"):
        calls, texts, workload, more = _calls(request, loaded, plan)
    notes += more
    edits: tuple[Edit, ...] = ()
    with engine_errors("change the model"):
        if plan.changes:
            traced = trace(calls[0], calls[0].inputs())
            if traced is None:
                raise Unsupported("The model cannot be changed.", "Its structure cannot be told without its weights.")
            subject = Subject(model, traced, [{**steps.inputs(), **steps.fixed} for steps in calls])
            made = make_changes(subject, plan.changes)
            edits = made.edits
            notes.append(made.said)
        if plan.quantization == "int8-dynamic":
            loaded = replace(loaded, model=quantized(model))
        calls = tuple(_on(steps, loaded.model, plan, workload) for steps in calls)
    if len(calls) > 1:
        return TorchCalls(calls, texts, workload, plan, machine, times, notes, edits)
    return TorchSession(calls[0], workload, plan, machine, times, notes=notes, edits=edits)


def _refuse(plan: Plan) -> None:
    for name, value, known in (
        ("compiling", plan.compiling, _COMPILING),
        ("quantization", plan.quantization, _QUANTIZATION),
        ("batching", plan.batching, _BATCHING),
    ):
        if value not in known:
            raise Unsupported(f"PyTorch has no {name} {value!r}.", "", f"It has {', '.join(known)}.")
    if plan.threads_between:
        raise Unsupported("PyTorch runs the operations of a model one after the other.", "", "")
    if plan.quantization != "off" and plan.compiling != "off":
        raise Unsupported("A quantized model is not compiled.", "Its layers are opaque to the compiler.", "")


def _calls(
    request: Request, loaded: Loaded, plan: Plan
) -> tuple[tuple[Steps, ...], tuple[tuple[int, ...], ...], Workload, list[str]]:
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


def _on(steps: Steps, model: Any, plan: Plan, workload: Workload) -> Steps:
    """The same call, of the model as the plan wants it."""
    if plan.compiling != "off":
        compiled(model, freezing=plan.compiling == "inductor-freezing")
    if steps.writer is not None:
        if plan.drafting == "prompt-lookup":
            steps.writer.draft(prompt_lookup_num_tokens=_LOOKED_UP)
        elif plan.drafting != "off":
            raise Unsupported(f"PyTorch has no drafting {plan.drafting!r} here.", "", "It has prompt-lookup.")
        return replace(steps, model=model, writer=steps.writer.of(model))
    if plan.drafting != "off":
        raise Unsupported("Nothing is written, so nothing can be drafted.", "", "")
    steps = replace(steps, model=model)
    return replace(steps, model=_packed(steps, workload.task)) if plan.batching == "packed" else steps


def _packed(steps: Steps, task: str) -> Packed:
    """What to call in place of the model of `steps`. Raises `Unsupported` where it would not be the same."""
    if task != "embed" or steps.writer is not None:
        raise Unsupported("Texts are packed for vectors of texts only.", "", "Use --task embed.")
    if "attention_mask" not in steps.inputs():
        raise Unsupported("There is no mask that tells padding.", "", "")
    config: Any = getattr(steps.model, "config", None)
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise Unsupported("Texts are packed for encoders only.", "", "")
    return Packed(steps.model)
