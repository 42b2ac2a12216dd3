"""A model made ready on CTranslate2: converted into a folder, seen to be the same model there, and loaded from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.backends.artifacts.program import Value
from cyclescope.backends.ctranslate2.checking import likelihoods, real_rows
from cyclescope.backends.ctranslate2.computing import compute_type_of, refuse_on_this_processor
from cyclescope.backends.ctranslate2.converting import convert
from cyclescope.backends.ctranslate2.program import CTranslate2Program
from cyclescope.backends.ctranslate2.rules import refuse_other_rules
from cyclescope.backends.ctranslate2.standalone.ctranslate2_encoder import CTranslate2Encoder
from cyclescope.backends.ctranslate2.standalone.ctranslate2_writer import CTranslate2Writer, rules_of
from cyclescope.backends.ctranslate2.writer import CTranslate2EngineWriter
from cyclescope.backends.torch.exporting.call_costs import cost_of_call, weights_of
from cyclescope.backends.torch.exporting.checking import refuse_other_results, results_of_model
from cyclescope.backends.torch.exporting.resolving import ResolvedRequest
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Cache, Plan

# The converters take these from the configuration, or look for one matrix in their place, so they would be lost.
_LOST = ("tanh-gelu", "exact-gelu", "relu", "factor", "keep-tokens")
_CHECKED = "checked"


def refuse_plan(plan: Plan) -> None:
    """Raise `Unsupported` for what CTranslate2 does not make real."""
    refuse_on_this_processor(plan)
    if plan.threads_between > 1:
        raise Unsupported(m("CTranslate2 runs the operations of a call one after the other."), "", m("Leave it out."))
    if plan.cache != Cache.DYNAMIC:
        raise Unsupported(
            m("CTranslate2 does not support the cache {cache}.", cache=repr(plan.cache.value)),
            m("Its own cache grows with the text."),
            m("Leave it out."),
        )


def refuse_lost(edits: tuple[Edit, ...]) -> None:
    """Raise `Unsupported` for edits of a model that a converted one would not have."""
    for edit in edits:
        if edit.what in _LOST:
            raise Unsupported(
                m("CTranslate2 cannot apply the edit {what} of {path}.", what=repr(edit.what), path=edit.path),
                m("Its converters only support the layers of the published architecture."),
                m("Leave the change out, or use another engine."),
            )


@dataclass(frozen=True, slots=True)
class ConversionJob:
    """What is made ready; `folder` is the place of the converted model."""

    resolved: ResolvedRequest
    tokenizer: Any
    folder: Path

    def program(self) -> CTranslate2Program:
        """A model that reads. Raises `EngineError` and `Unsupported`."""
        self._convert()
        resolved, plan = self.resolved, self.resolved.plan
        weights = weights_of(self._model, plan)
        work = partial(cost_of_call, resolved.steps, resolved.workload, plan, resolved.machine, weights)
        return CTranslate2Program(
            self.folder,
            CTranslate2Encoder(str(self.folder), self._model.config, plan.threads, compute_type_of(plan)),
            work=work,
            weights=Value("weights", (weights.number,), weights.dtype, constant=True),
            class_name=type(self._model).__name__,
        )

    def writer(self) -> CTranslate2EngineWriter:
        """A model that writes. Raises `EngineError` and `Unsupported`."""
        model = self._model
        refuse_other_rules(model.generation_config)
        self._convert()
        rules, plan = rules_of(model.generation_config), self.resolved.plan
        return CTranslate2EngineWriter(
            self.folder,
            CTranslate2Writer(str(self.folder), model.config, plan.threads, compute_type_of(plan), **rules),
        )

    @property
    def _model(self) -> Any:
        return self.resolved.steps.model

    def _convert(self) -> None:
        """Fill the folder unless that was done before, and see that it holds the same model."""
        build_once(self.folder, lambda: convert(self._model, self.tokenizer, self.folder))
        checked = self.folder / _CHECKED
        if checked.exists():
            return
        steps, plan = self.resolved.steps, self.resolved.plan
        inputs = {name: t for name, t in steps.inputs().items() if isinstance(t, torch.Tensor)}
        arrays = {name: t.numpy() for name, t in inputs.items()}
        if steps.writer is not None:
            given, wanted = likelihoods(self.folder, self._model, arrays, plan.threads)
        else:
            encoder = CTranslate2Encoder(str(self.folder), self._model.config, plan.threads, "float32")
            mask = arrays.get("attention_mask")
            given = real_rows(vars(encoder(**arrays)), mask)
            wanted = real_rows(results_of_model(steps, inputs), mask)
        refuse_other_results(plan.engine, given, wanted)
        checked.touch()
