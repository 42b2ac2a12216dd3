"""A recipe as Python code without cyclescope in it: the model as it was measured, built and run.

Most of the code is the very files that made the plan real while it was measured, or that are tested beside them
(`backends.torch.standalone`); here they are only put together. Nothing of a recipe gets into the code but as a literal.
"""

from __future__ import annotations

import ast
import pprint
from dataclasses import dataclass
from typing import Any

from cyclescope.backends.ctranslate2.computing import compute_type_of
from cyclescope.backends.engines import ENGINES
from cyclescope.backends.openvino import computing as openvino
from cyclescope.core.edits import calibrated, files_of
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.tensor import bits_of
from cyclescope.core.plan import LOOKED_UP_TOKENS, Plan
from cyclescope.core.samples import Load
from cyclescope.explaining.stability import doubts_of_load
from cyclescope.models.standin import StandIn
from cyclescope.optimizing.recipes.recipe import Proof, Recipe
from cyclescope.optimizing.recipes.snippet_model import SnippetModel
from cyclescope.optimizing.recipes.snippet_sources import Source, definitions, imports

TOKENIZER_FILE = "tokenizer.json"
ENGINE_FILES = (
    *("engine.onnx", "engine.onnx.weights", "model.xml", "model.bin"),
    *("config.json", "vocabulary.json", "shared_vocabulary.json", "source_vocabulary.json", "target_vocabulary.json"),
)
ENGINE_SUFFIXES = (".onnx", ".xml")  # of those that are opened; the others are their weights
_STEPPED = tuple(e.name for e in ENGINES if e.capabilities.checks_guesses and not e.capabilities.native)
_WRITING_ENGINES = ("torch", "ctranslate2")
_WIDTH = 110
_FIRST_LAYERS = "layers:"
_COMPILING = ("off", "inductor", "inductor-freezing")
_QUANTIZATION = ("off", "int8-dynamic")


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
    _refuse(recipe)
    task = _WRITES if recipe.work.tokens_out else _TASKS[recipe.model.task]
    sources = _sources(recipe, task)
    parts = [
        f'"""{_head(recipe)}"""',
        imports(sources, *_own_imports(recipe, model)),
        _data(recipe, model),
        definitions(sources),
        _build(recipe, model, task),
        _run(recipe, task),
        _main(recipe, model, task),
    ]
    text = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    ast.parse(text)  # what is not Python must not be handed to anybody
    return text


def _refuse(recipe: Recipe) -> None:
    plan, task = recipe.plan, recipe.model.task
    if not recipe.work.tokens_out and task not in _TASKS:
        raise Unsupported(f"There is no code for the task {task!r}.", "", f"There is for {', '.join(_TASKS)}.")
    decodes = recipe.model.encoder_decoder or (recipe.work.tokens_out and plan.engine not in _STEPPED)
    if plan.engine not in _WRITING_ENGINES and decodes:
        raise Unsupported(f"There is no code for a model with a decoder on {plan.engine}.", "", "There is for torch.")
    for name, value, known in (
        ("engine", plan.engine, ("torch", "onnxruntime", "openvino", "ctranslate2")),
        ("device", plan.device, ("cpu",)),
        ("compiling", plan.compiling, _COMPILING),
        ("quantization", plan.quantization, _QUANTIZATION if plan.engine == "torch" else (plan.quantization,)),
        ("batching", plan.batching, ("given", "length", "packed")),
        ("cache", plan.cache, ("dynamic", "static", "off")),
        ("decoding", plan.decoding, ("greedy",)),
    ):
        if value not in known:
            raise Unsupported(f"There is no code for the {name} {value!r}.", "", f"There is for {', '.join(known)}.")
    layers = plan.drafting.removeprefix(_FIRST_LAYERS)
    if plan.drafting != layers and not (layers.isascii() and layers.isdigit()):
        raise Unsupported(f"There is no code for the drafting {plan.drafting!r}.", "", "")
    bits_of(plan.dtype)  # it becomes an attribute's name


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


def _load(proof: Proof) -> tuple[str, ...]:
    """What is to be said of other work on the machine, where there was so much that it puts the figures in doubt."""
    if not doubts_of_load(Load(other_busy=proof.other_load)):
        return ()
    return (f"Other processes used {proof.other_load:.0%} of the cores meanwhile.",)


def _plain(text: str) -> str:
    """Text that can stand in a string of Python whatever it is."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def _sources(recipe: Recipe, task: _Task) -> list[Source]:
    """The files, or the definitions of them, that this plan needs."""
    plan = recipe.plan
    writes = task is _WRITES
    wanted = [
        (plan.engine == "onnxruntime", Source("onnx_model", ("session_options",) if writes else (), "onnxruntime")),
        (plan.engine == "onnxruntime" and writes, Source("onnx_stepper", engine="onnxruntime")),
        (plan.engine == "openvino", Source("openvino_model", ("plugin_settings",) if writes else (), "openvino")),
        (plan.engine == "openvino" and writes, Source("openvino_stepper", engine="openvino")),
        (plan.engine in _STEPPED and writes, Source("generating", engine="artifacts")),
        (plan.engine in _STEPPED and writes, Source("decoding", engine="artifacts")),
        (plan.engine == "ctranslate2", Source("rows", engine="ctranslate2")),
        (plan.engine == "ctranslate2" and not writes, Source("ctranslate2_encoder", engine="ctranslate2")),
        (plan.engine == "ctranslate2" and writes, Source("ctranslate2_writer", engine="ctranslate2")),
        (plan.engine != "torch" and writes, Source("texts", engine="artifacts")),
        (_edits(recipe) or plan.drafting.startswith(_FIRST_LAYERS), Source("editing")),
        (plan.drafting.startswith(_FIRST_LAYERS), Source("drafting")),
        (plan.engine == "torch" and plan.quantization == "int8-dynamic", Source("quantizing")),
        (plan.compiling != "off", Source("compiling")),
        (plan.batching == "packed", Source("packing")),
        (recipe.model.encoder_decoder and not writes, Source("starting")),
        (not writes, Source("reading")),
        (writes, Source("reading", ("calls_for", "encoded", "fed", "for_each"))),
        (writes and plan.engine == "torch", Source("writing")),
        (plan.instances > 1, Source("sharing")),
        (True, Source("telling", (task.line,))),
    ]
    return [source for needed, source in wanted if needed]


def _edits(recipe: Recipe) -> bool:
    """Whether the code edits the model; the file of an engine has been made of the edited one."""
    return bool(recipe.edits) and recipe.plan.engine == "torch"


def _own_imports(recipe: Recipe, model: SnippetModel) -> list[str]:
    """What the parts that are written here import."""
    lines = ["import argparse", "import numpy", "import transformers", "from typing import Any"]
    if recipe.plan.engine == "torch":
        lines.append("import torch")
    if isinstance(model.tokenizer, StandIn) or recipe.plan.engine != "torch" or files_of(recipe.edits):
        lines.append("from pathlib import Path")
    return lines


def _data(recipe: Recipe, model: SnippetModel) -> str:
    """The constants of the code."""
    lines = []
    engine = recipe.plan.engine != "torch"
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
    if _edits(recipe):
        edits = [(edit.what, edit.path, list(edit.numbers)) for edit in recipe.edits]
        lines.append(f"EDITS: list[tuple[str, str, list[int]]] = {_literal(edits)}")
    return "\n".join(lines)


def _threads(plan: Plan) -> str:
    return f"{plan.threads} thread{'s' if plan.threads != 1 else ''}"


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=_WIDTH, compact=True, sort_dicts=False)


def _build(recipe: Recipe, model: SnippetModel, task: _Task) -> str:
    plan = recipe.plan
    if plan.engine != "torch":
        return _build_engine(recipe, model)
    auto = task.auto or ("AutoModelForSeq2SeqLM" if recipe.model.encoder_decoder else "AutoModelForCausalLM")
    attention = f", attn_implementation={plan.attention!r}" if plan.attention not in ("own", "") else ""
    lines = [
        "def build(reference: str = MODEL) -> tuple[Any, Any]:",
        '    """The tokenizer and the optimised model."""',
    ]
    if plan.threads:
        lines.append(f"    torch.set_num_threads({plan.threads!r})")
    loading = [
        "tokenizer: Any = transformers.AutoTokenizer.from_pretrained(reference)",
        f"model: Any = transformers.{auto}.from_pretrained(reference, dtype=torch.float32{attention})",
    ]
    if model.config is None:
        lines += [f"    {line}" for line in loading]
    else:
        lines += [
            "    if reference:",
            *[f"        {line}" for line in loading],
            "    else:",
            f"        tokenizer = {_tokenizer(model)}",
            "        fields = dict(CONFIG)",
            '        config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)',
            f"        torch.manual_seed({plan.seed!r})",
            f"        model = transformers.{auto}.from_config(config, dtype=torch.float32{attention})",
        ]
    lines += [
        "    if tokenizer.pad_token is None:",
        "        tokenizer.pad_token = tokenizer.eos_token  # for a model that was trained without padding",
    ]
    if task is _WRITES and not recipe.model.encoder_decoder:
        lines.append('    tokenizer.padding_side = "left"  # what is written goes on from the last token')
    lines.append(f"    model.eval(){'' if plan.dtype == 'float32' else f'.to(torch.{plan.dtype})'}")
    if files_of(recipe.edits):
        lines.append("    edit(model, EDITS, str(Path(__file__).parent))")
    elif recipe.edits:
        lines.append("    edit(model, EDITS)")
    if plan.quantization == "int8-dynamic":
        lines.append("    model = quantized(model)")
    if plan.compiling != "off":
        lines.append(f"    model = compiled(model, freezing={plan.compiling == 'inductor-freezing'})")
    if plan.batching == "packed":
        lines.append("    model = Packed(model)")
    if plan.drafting not in ("off", "prompt-lookup") and not plan.drafting.startswith(_FIRST_LAYERS):
        # In a list, so that it does not become a part of the model.
        lines.append(
            f"    model.drafts = [transformers.{auto}.from_pretrained({plan.drafting!r}, dtype=torch.{plan.dtype}{attention})]"
        )
    return "\n".join([*lines, "    return tokenizer, model"])


def _build_engine(recipe: Recipe, model: SnippetModel) -> str:
    """The same for an engine that runs the model from a file."""
    plan = recipe.plan
    file = engine_file(recipe)
    lines = [
        "def build(reference: str = MODEL) -> tuple[Any, Any]:",
        '    """The tokenizer and the optimised model."""',
    ]
    loading = [
        "tokenizer: Any = transformers.AutoTokenizer.from_pretrained(reference)",
        "config: Any = transformers.AutoConfig.from_pretrained(reference)",
    ]
    if model.config is None:
        lines += [f"    {line}" for line in loading]
    else:
        lines += [
            "    if reference:",
            *[f"        {line}" for line in loading],
            "    else:",
            f"        tokenizer = {_tokenizer(model)}",
            "        fields = dict(CONFIG)",
            '        config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)',
        ]
    place = f"str(Path(__file__).with_name({file!r}))"
    if plan.engine == "ctranslate2":
        made = _on_ctranslate2(recipe, lines)
    elif plan.engine == "onnxruntime":
        made = f"OnnxModel({place}, config, {plan.threads!r}, {plan.threads_between!r})"
        if recipe.work.tokens_out:
            made = _stepped(recipe, lines, f"OnnxStepper({place}, {plan.threads!r}, {plan.threads_between!r})")
    else:
        given = f"{plan.threads!r}, {openvino.precision_of(plan)!r}, {openvino.group_of(plan)}"
        made = f"OpenVinoModel({place}, config, {given})"
        if recipe.work.tokens_out:
            compiled = f"compiled_decoder({place}, {given}, {openvino.cache_precision_of(plan)!r})"
            made = _stepped(recipe, lines, f"OpenVinoStepper({compiled})")
    return "\n".join([*lines, f"    return tokenizer, {made}"])


def _stepped(recipe: Recipe, lines: list[str], stepper: str) -> str:
    """What writes with the engine that `stepper` calls step by step; `lines` get what it needs before."""
    lines += [
        "    if tokenizer.pad_token is None:",
        "        tokenizer.pad_token = tokenizer.eos_token  # for a model that was trained without padding",
        '    tokenizer.padding_side = "left"  # what is written goes on from the last token',
        f"    stepper = {stepper}",
    ]
    looked_up = LOOKED_UP_TOKENS if recipe.plan.drafting == "prompt-lookup" else 0
    return f"Decoder(stepper, config, generation_of(reference, config), {looked_up})"


def _on_ctranslate2(recipe: Recipe, lines: list[str]) -> str:
    """The model in the folder of the code itself; `lines` get what it needs before."""
    plan = recipe.plan
    given = f"str(Path(__file__).parent), config, {plan.threads!r}, {compute_type_of(plan)!r}"
    if not recipe.work.tokens_out:
        return f"CTranslate2Encoder({given})"
    lines += [
        "    if tokenizer.pad_token is None:",
        "        tokenizer.pad_token = tokenizer.eos_token  # for a model that was trained without padding",
        "    rules = rules_of(generation_of(reference, config))",
    ]
    return f"CTranslate2Writer({given}, **rules)"


def engine_file(recipe: Recipe) -> str:
    """Name of the file that an engine opens: one of its own, or that which goes with the recipe."""
    kept = [edit.path for edit in calibrated(recipe.edits) if edit.path.endswith(ENGINE_SUFFIXES)]
    if kept:
        return kept[0]
    return ENGINE_FILES[0] if recipe.plan.engine == "onnxruntime" else ENGINE_FILES[2]


def _tokenizer(model: SnippetModel) -> str:
    if isinstance(model.tokenizer, str):
        return "transformers.AutoTokenizer.from_pretrained(TOKENIZER)"
    file = f'tokenizer_file=str(Path(__file__).with_name("{TOKENIZER_FILE}"))'
    return f"transformers.PreTrainedTokenizerFast({file}, **TOKENIZER)"


def _run(recipe: Recipe, task: _Task) -> str:
    plan = recipe.plan
    options: list[str] = []
    if plan.batch:
        options.append(f"size={plan.batch!r}")
    if plan.batching == "length":
        options.append("by_length=True")
    if plan.overlap:
        options.append("beside=True")
    options.append("longest=LONGEST")
    if plan.engine != "torch" and task is _WRITES:
        return "\n".join(
            [
                "def run(tokenizer: Any, model: Any, texts: list[str], exactly: bool = False) -> list[Any]:",
                '    """The token ids that are written on each text, in order."""',
                f"    return write(tokenizer, model, texts, NEW_TOKENS, exactly=exactly, {', '.join(options)})",
            ]
        )
    if plan.engine != "torch":
        return "\n".join(
            [
                "def run(tokenizer: Any, model: Any, texts: list[str]) -> list[Any]:",
                f'    """The {task.output} of each text, in order."""',
                f"    return read(tokenizer, model, texts, {task.output!r}, kind='np', {', '.join(options)})",
            ]
        )
    if task is not _WRITES:
        if recipe.model.encoder_decoder:
            options.append("more=lambda texts: start_of(model, texts)")
        return "\n".join(
            [
                "def run(tokenizer: Any, model: Any, texts: list[str]) -> list[Any]:",
                f'    """The {task.output} of each text, in order."""',
                "    with torch.inference_mode():",
                f"        results = read(tokenizer, model, texts, {task.output!r}, {', '.join(options)})",
                "    return [rows.float().numpy() for rows in results]",
            ]
        )
    if plan.cache == "static":
        options.append('cache_implementation="static"')
    elif plan.cache == "off":
        options.append("use_cache=False")
    if plan.drafting == "prompt-lookup":
        options.append(f"prompt_lookup_num_tokens={LOOKED_UP_TOKENS}")
    elif plan.drafting.startswith(_FIRST_LAYERS):
        options.append(f"assistant_model=first_layers(model, {int(plan.drafting.removeprefix(_FIRST_LAYERS))})")
    elif plan.drafting != "off":
        options.append("assistant_model=model.drafts[0]")
    return "\n".join(
        [
            "def run(tokenizer: Any, model: Any, texts: list[str], exactly: bool = False) -> list[Any]:",
            '    """The token ids that are written on each text, in order."""',
            "    with torch.inference_mode():",
            f"        results = write(tokenizer, model, texts, NEW_TOKENS, exactly=exactly, {', '.join(options)})",
            "    return [tokens.numpy() for tokens in results]",
        ]
    )


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
        told = "write NEW_TOKENS tokens even where the text ends before, as it was measured"
        lines.append(f'    parser.add_argument("--exactly", action="store_true", help="{told}")')
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
