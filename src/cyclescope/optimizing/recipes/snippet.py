"""A recipe as Python code without cyclescope in it: the model as it was measured, built and run.

Most of the code is the very files that made the plan real while it was measured, or that are tested beside them
(the folders `standalone` of backends); here they are only put together. Nothing of a recipe gets into the code but as a literal.
"""

from __future__ import annotations

import ast
import pprint
from dataclasses import dataclass
from typing import Any

from cyclescope.backends import engines
from cyclescope.backends.code import CodeRequest, CodeSource, EngineCode, refuse_values
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.tensor import bits_of
from cyclescope.core.message import listed, m
from cyclescope.core.plan import Batching, Plan
from cyclescope.core.samples import Load
from cyclescope.explaining.stability import load_warnings
from cyclescope.models.standin import StandIn
from cyclescope.optimizing.recipes.recipe import MeasurementRecord, Recipe
from cyclescope.optimizing.recipes.snippet_model import SnippetModel
from cyclescope.optimizing.recipes.snippet_sources import definitions, imports

TOKENIZER_FILE = "tokenizer.json"
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class _Task:
    """The class that `transformers` loads for a task, what is taken of its output, and who tells it to a reader."""

    auto: str
    output: str
    line: str


_TASKS = {
    "embed": _Task("AutoModel", "last_hidden_state", "vector_line"),
    "classify": _Task("AutoModelForSequenceClassification", "logits", "label_line"),
    "fill": _Task("AutoModelForMaskedLM", "logits", "filled_line"),
}
_WRITES = _Task("", "", "text_line")


def snippet(recipe: Recipe, model: SnippetModel) -> str:
    """Python source that builds the optimised model and runs it on the texts on its command line.

    Raises `Unsupported` for a plan or a task that there is no code for.
    """
    if not recipe.work.tokens_out and recipe.model.task not in _TASKS:
        raise Unsupported(
            m(
                "The task of a recipe with code must be one of {known} (got {given}).",
                known=listed(_TASKS),
                given=recipe.model.task,
            )
        )
    task = _WRITES if recipe.work.tokens_out else _TASKS[recipe.model.task]
    engine, wanted = _code_of(recipe.plan), _wanted(recipe, model, task)
    _refuse(recipe.plan)
    engine.refuse(wanted)
    sources = [*engine.sources(wanted), *_sources(recipe, task)]
    parts = [
        f'"""{_head(recipe)}"""',
        imports(sources, *_own_imports(model), *engine.imports(wanted)),
        _data(recipe, model, engine),
        definitions(sources),
        engine.build(wanted),
        engine.run(wanted),
        _main(recipe, model, task),
    ]
    text = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    ast.parse(text)  # what is not Python must not be handed to anybody
    return text


def _code_of(plan: Plan) -> EngineCode:
    """What the engine of `plan` contributes. Raises `Unsupported` for one that contributes nothing, or is not known."""
    known = {engine.name: engine.code for engine in engines.ENGINES if engine.code is not None}
    if plan.engine not in known:
        raise Unsupported(
            m(
                "The engine of a recipe with code must be one of {known} (got {given}).",
                known=listed(known),
                given=plan.engine,
            )
        )
    return known[plan.engine]()


def _refuse(plan: Plan) -> None:
    refuse_values(
        (
            ("device", plan.device, ("cpu",)),
            ("decoding", plan.decoding, ("greedy",)),
        )
    )
    bits_of(plan.dtype)  # it becomes an attribute's name


def _wanted(recipe: Recipe, model: SnippetModel, task: _Task) -> CodeRequest:
    """The same for the engine, which knows no recipes."""
    plan = recipe.plan
    options = (
        f"size={plan.batch!r}" if plan.batch else "",
        "by_length=True" if plan.batching == Batching.LENGTH else "",
        "beside=True" if plan.overlap else "",
        "longest=LONGEST",
    )
    return CodeRequest(
        plan=plan,
        auto=task.auto,
        output=task.output,
        generates=task is _WRITES,
        encoder_decoder=recipe.model.encoder_decoder,
        edits=recipe.edits,
        random=model.config is not None,
        tokenizer=_tokenizer(model),
        options=tuple(option for option in options if option),
    )


def _head(recipe: Recipe) -> str:
    proof = recipe.proof
    return "\n".join(
        _plain(line)
        for line in (
            f"{recipe.model.reference}, {proof.speed_up:.2f} times as fast as run as it is "
            f"(99 % interval {proof.low:.2f} to {proof.high:.2f}{'' if proof.proved else '; not proved'}).",
            "",
            f"Measured by cyclescope {proof.version} on {proof.processor}, {proof.cores} cores, {proof.taken_at[:10]},",
            f"with {', '.join(proof.packages)}. Elsewhere it may be otherwise: `cyclescope verify` tells.",
            *_load(proof),
            "",
        )
    )


def _load(proof: MeasurementRecord) -> tuple[str, ...]:
    """What is to be said of other work on the machine, where there was so much that it puts the figures in doubt."""
    if not load_warnings(Load(other_busy=proof.other_load)):
        return ()
    return (f"Other processes used {proof.other_load:.0%} of the cores meanwhile.",)


def _plain(text: str) -> str:
    """Text that can stand in a string of Python whatever it is."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def _sources(recipe: Recipe, task: _Task) -> list[CodeSource]:
    """The files, or the definitions of them, that the code of every engine is made of."""
    generates = task is _WRITES
    return [
        CodeSource("reading", ("calls_for", "encoded", "fed", "for_each") if generates else ()),
        *([CodeSource("sharing")] if recipe.plan.instances > 1 else []),
        CodeSource("printing", (task.line,)),
    ]


def _own_imports(model: SnippetModel) -> list[str]:
    """What the parts that are written here import."""
    lines = ["import argparse", "import numpy", "import transformers", "from typing import Any"]
    return [*lines, *(["from pathlib import Path"] if isinstance(model.tokenizer, StandIn) else [])]


def _data(recipe: Recipe, model: SnippetModel, code: EngineCode) -> str:
    """The constants of the code."""
    lines = []
    engine = bool(code.files)  # it has the weights in files of its own
    if model.config is None:
        what = "a folder, or a name on the hub" + (", for the tokenizer: the weights are beside this" if engine else "")
        lines.append(f"MODEL = {model.reference!r}  # {what}")
    elif engine:
        lines += [
            'MODEL = ""  # a folder with a tokenizer; the weights beside this are random, as when it was measured',
            f"CONFIG: dict[str, Any] = {_literal(dict(model.config))}",
        ]
    else:
        lines += [
            'MODEL = ""  # your own folder; without one the weights are random, as when it was measured',
            f"CONFIG: dict[str, Any] = {_literal(dict(model.config))}",
        ]
    if isinstance(model.tokenizer, StandIn):
        made = model.tokenizer
        settings = {
            "model_max_length": made.model_max_length,
            "model_input_names": list(made.input_names),
            **made.special_tokens,
        }
        lines.append(f"TOKENIZER: dict[str, Any] = {_literal(settings)}  # a stand-in, of {TOKENIZER_FILE}")
    elif model.config is not None:
        lines.append(f"TOKENIZER = {model.tokenizer!r}")
    lines.append(f"LONGEST: int | None = {recipe.model.longest!r}  # tokens that the model takes")
    if recipe.work.tokens_out:
        lines.append(f"NEW_TOKENS = {recipe.work.tokens_out!r}")
    if recipe.plan.instances > 1:
        lines.append(
            f"INSTANCES = {recipe.plan.instances!r}  # processes, with a model and {_threads(recipe.plan)} each"
        )
    if code.edits_model and recipe.edits:
        edits = [(edit.what, edit.path, list(edit.numbers)) for edit in recipe.edits]
        lines.append(f"EDITS: list[tuple[str, str, list[int]]] = {_literal(edits)}")
    return "\n".join(lines)


def _threads(plan: Plan) -> str:
    return f"{plan.threads} thread{'s' if plan.threads != 1 else ''}"


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=_WIDTH, compact=True, sort_dicts=False)


def _tokenizer(model: SnippetModel) -> str:
    if isinstance(model.tokenizer, str):
        return "transformers.AutoTokenizer.from_pretrained(TOKENIZER)"
    file = f'tokenizer_file=str(Path(__file__).with_name("{TOKENIZER_FILE}"))'
    return f"transformers.PreTrainedTokenizerFast({file}, **TOKENIZER)"


def _main(recipe: Recipe, model: SnippetModel, task: _Task) -> str:
    what = '"a folder with your own weights"' if model.config is not None else '"a folder, or a name on the hub"'
    lines = [
        "def main() -> None:",
        '    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0].replace("%", "%%"))',
        '    parser.add_argument("texts", nargs="+", metavar="TEXT")',
        f'    parser.add_argument("--model", default=MODEL, help={what})',
        '    parser.add_argument("--save", help="write what comes out to this file, an array a text (.npz)")',
    ]
    given = ""
    if task is _WRITES:
        explained = "write NEW_TOKENS tokens even where the text ends before, as it was measured"
        lines.append(f'    parser.add_argument("--exactly", action="store_true", help="{explained}")')
        given = ", exactly=given.exactly"
    lines.append("    given = parser.parse_args()")
    if recipe.plan.instances > 1:
        lines += [
            "    processes = Processes(INSTANCES, build, given.model)",
            f"    results = processes(run, given.texts{given})",
            "    processes.close()",
            "    tokenizer, model = build(given.model)  # to tell the results by",
        ]
    else:
        lines += [
            "    tokenizer, model = build(given.model)",
            f"    results = run(tokenizer, model, given.texts{given})",
        ]
    lines += [
        "    for text, result in zip(given.texts, results, strict=True):",
        f"        print(text, {task.line}(tokenizer, model.config, result), sep='\\t')",
        "    if given.save:",
        '        numpy.savez(given.save, **{f"text{k}": result for k, result in enumerate(results)})',
        "",
        "",
        'if __name__ == "__main__":',
        "    main()",
    ]
    return "\n".join(lines)
