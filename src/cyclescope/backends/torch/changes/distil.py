"""A student with fewer layers learns to give what the whole model gives, on the user's texts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from time import monotonic
from typing import Any

import torch
from safetensors.torch import save_file

from cyclescope.backends.torch.changes.change import Edits, Subject
from cyclescope.backends.torch.changes.layers import change_least, longest_stack
from cyclescope.backends.torch.changes.lessons import LEAST_TEXTS, Lessons, lessons, padded
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.core.edits import LOAD_WEIGHTS, Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.machines.host import usable_cores

MOST_SECONDS = 60.0  # the strategy promises no more
_ROWS = 16
_RATE = 5e-4
_WARM_UP = 20  # steps
_LOOK_EVERY = 20  # steps between looks at the texts that are held out
_PATIENCE = 12  # looks without a better one, after which nothing more is expected
_SEED = 0


def distil(subject: Subject, amount: float) -> Edits:
    """Keep `amount` layers, those that `drop_layers` would, and train them until they give what the whole model gives.

    What is compared is the last hidden state (cosine and squared distance), and what each layer hands to the next with
    what that was handed in the whole model (after Jiao et al., 2020, "TinyBERT"). It ends after 60 s, or when texts that
    it does not learn from get no better; what was best on those is kept. The weights of the layers are the result: they
    lie in a file of their own, which is reused where it exists already.
    """
    path, stack = longest_stack(subject.model)
    keep = int(amount)
    if not 0 < keep < len(stack):
        raise Unsupported(
            m("There are {count} layers; a student cannot keep {keep} of them.", count=len(stack), keep=keep)
        )
    if subject.files is None:
        raise Unsupported(m("There is no folder to keep a student in."))
    gone = change_least(subject, stack, len(stack) - keep)
    kept = tuple(k for k in range(len(stack)) if k not in gone)
    file = Path(subject.files) / _name(subject, keep)
    edits = Edits(
        (Edit("keep-layers", path, kept), Edit(LOAD_WEIGHTS, file.name)),
        m("a student with the layers {layers} of {path}", layers=", ".join(map(str, kept)), path=path),
    )
    if file.is_file():
        return edits
    material = lessons(subject.inputs, subject.texts, _vocabulary(subject))
    if len(material.learned) + len(material.held_out) < LEAST_TEXTS:
        raise Unsupported(
            m("There are too few texts to learn from."),
            m("Give at least {least_texts}; dozens are better.", least_texts=LEAST_TEXTS),
            "",
        )
    if next(subject.model.parameters()).dtype is not torch.float32:
        raise Unsupported(m("A student can only be trained in float32."))
    student: Any = edit(deepcopy(subject.model), [("keep-layers", path, kept)])
    school = _School(subject.original or subject.model, student, path, (*kept[1:], len(stack)), material)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(school.quickest_threads())
        with torch.enable_grad():
            learned = school.teach()
    finally:
        torch.set_num_threads(threads)
    _save(learned.weights, file)
    return Edits(
        edits.edits,
        m(
            "{student}, trained for {steps} steps on {texts} texts; on {held_out} held-out texts its cosine went from "
            "{before} to {after}",
            student=edits.said,
            steps=learned.steps,
            texts=len(material.learned),
            held_out=len(material.held_out),
            before=f"{learned.before:.4f}",
            after=f"{learned.after:.4f}",
        ),
    )


@dataclass
class _Learned:
    """The best so far: its weights by their names in the model, and the cosine on what was held out."""

    weights: dict[str, torch.Tensor] = field(default_factory=dict)
    before: float = 0.0
    after: float = -1.0
    steps: int = 0


class _School:
    """One student and its teacher. `heights` are the numbers of layers of the teacher behind which the states stand that
    those behind each layer of the student are to be like.
    """

    def __init__(self, teacher: Any, student: Any, path: str, heights: Sequence[int], material: Lessons) -> None:
        self._teacher = teacher.eval()
        self._student = student.eval()  # without dropout: it has seconds to learn, not days
        self._path = path
        layers = student.get_submodule(path)
        self._heights = heights
        self._material = material
        student.requires_grad_(False)
        self._taught = {f"{path}.{name}": weight.requires_grad_() for name, weight in layers.named_parameters()}

    def quickest_threads(self) -> int:
        """One or all cores, whichever examines faster: where others use the cores too, threads wait for each other."""
        times = {}
        for threads in {1, usable_cores()}:
            torch.set_num_threads(threads)
            begin = monotonic()
            self._examine()
            times[threads] = monotonic() - begin
        return min(times, key=lambda threads: times[threads])

    def teach(self) -> _Learned:
        chance = Random(_SEED)
        optimizer = torch.optim.AdamW(self._taught.values(), lr=_RATE)
        begin = monotonic()
        best = _Learned(before=self._examine())
        self._remember(best, best.before)
        steps = unimproved = 0
        while unimproved < _PATIENCE and (spent := monotonic() - begin) < MOST_SECONDS:
            for group in optimizer.param_groups:
                group["lr"] = _RATE * min(1.0, (steps + 1) / _WARM_UP) * max(0.05, 1 - spent / MOST_SECONDS)
            loss = self._loss(self._material.batch(chance, _ROWS))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._taught.values(), 1.0)
            optimizer.step()
            steps += 1
            if steps % _LOOK_EVERY == 0:
                unimproved = 0 if self._remember(best, self._examine()) else unimproved + 1
        best.steps = steps
        return best

    def _loss(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        here = inputs["attention_mask"].bool()
        with torch.no_grad():
            wanted = _hidden(self._teacher, inputs)
        given = _hidden(self._student, inputs)
        loss = 1 - _cosine(given[-1][here], wanted[-1][here]).mean() + _distance(given[-1][here], wanted[-1][here])
        for mine, height in zip(given[1:-1], self._heights[:-1], strict=True):
            loss = loss + _distance(mine[here], wanted[height][here]) / len(given)
        return loss

    def _examine(self) -> float:
        """Mean cosine of the last hidden states of texts that were held out."""
        inputs = padded(self._material.held_out)
        here = inputs["attention_mask"].bool()
        with torch.no_grad():
            wanted, given = _hidden(self._teacher, inputs)[-1], _hidden(self._student, inputs)[-1]
        return float(_cosine(given[here], wanted[here]).mean())

    def _remember(self, best: _Learned, cosine: float) -> bool:
        if cosine <= best.after:
            return False
        best.after = cosine
        best.weights = {name: weight.detach().clone() for name, weight in self._taught.items()}
        return True


def _hidden(model: Any, inputs: Mapping[str, torch.Tensor]) -> Sequence[torch.Tensor]:
    states: Sequence[torch.Tensor] = model(**inputs, output_hidden_states=True).hidden_states
    return states


def _cosine(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(a, b, dim=-1)


def _distance(given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Squared distance as a share of what there is: models differ in the size of their numbers."""
    return ((given - wanted) ** 2).mean() / (wanted**2).mean()


def _vocabulary(subject: Subject) -> int:
    """How many tokens the model knows. Raises `Unsupported` for one that reads something else."""
    model: Any = subject.model
    if any("input_ids" not in given for given in subject.inputs):
        raise Unsupported(m("A student needs texts to learn from."), m("This model takes no tokens."), "")
    return int(model.get_input_embeddings().num_embeddings)


def _name(subject: Subject, keep: int) -> str:
    """What the student is called by, and by what was changed in it before it learned."""
    before = hashlib.sha256(repr([(c.name, c.amount) for c in subject.earlier]).encode()).hexdigest()[:8]
    return f"student-{keep}-layers{f'-{before}' if subject.earlier else ''}.safetensors"


def _save(weights: Mapping[str, torch.Tensor], file: Path) -> None:
    """In full or not at all: another process may look for it at the same time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent, delete=False) as made:
        save_file({name: weight.contiguous() for name, weight in weights.items()}, made.name)
    os.replace(made.name, file)
