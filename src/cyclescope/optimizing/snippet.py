"""A recipe as Python code without cyclescope in it: the model as it was measured, built and run.

The parts that change the model are the very files that changed it while it was measured (`backends.torch.standalone`).
"""

from __future__ import annotations

import ast
from importlib.resources import files
from typing import Any

from cyclescope.core.errors import Unsupported
from cyclescope.models.reference import BuiltIn, resolve
from cyclescope.optimizing.recipe import Recipe

_AUTO = {
    "embed": "AutoModel",
    "classify": "AutoModelForSequenceClassification",
    "fill": "AutoModelForMaskedLM",
    "generate": "AutoModelForCausalLM",
    "translate": "AutoModelForSeq2SeqLM",
}
_LOOKED_UP = 10  # as backends.torch.planning


def snippet(recipe: Recipe) -> str:
    """Python source that builds the optimised model and runs it on the texts on its command line.

    Raises `Unsupported` for a plan of an engine that runs a model from a file: `cyclescope apply` writes both.
    """
    if recipe.plan.engine != "torch":
        raise Unsupported(
            f"{recipe.plan.engine} runs the model from a file.", "", "Use `cyclescope apply RECIPE --out FOLDER`."
        )
    parts = [_head(recipe), _imports(recipe), _data(recipe), *_sources(recipe), _build(recipe), _RUN, _MAIN]
    text = "\n\n\n".join(part.strip("\n") for part in parts if part) + "\n"
    ast.parse(text)  # what is not Python must not be handed to anybody
    return text


def _head(recipe: Recipe) -> str:
    proof = recipe.proof
    return (
        f'"""{_plain(recipe.model.reference)}, {proof.speed_up:.2f} times as fast as run as it is '
        f"(99 % interval {proof.low:.2f} to {proof.high:.2f}).\n\n"
        f"Measured by cyclescope {proof.version} on {_plain(proof.processor)}, {proof.cores} cores, {proof.taken_at[:10]},\n"
        f"with {_plain(', '.join(proof.packages))}. Elsewhere it may be otherwise: `cyclescope verify` tells.\n"
        '"""'
    )


def _plain(text: str) -> str:
    """Text that can stand in a string of Python whatever it is."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def _imports(recipe: Recipe) -> str:
    lines = ["from __future__ import annotations", "", "import sys"]
    if recipe.plan.quantization != "off":
        lines.append("import warnings")
    if recipe.edits:
        lines.append("from collections.abc import Iterable, Sequence")
    if recipe.plan.batching == "packed":
        lines.append("from types import SimpleNamespace")
    return "\n".join([*lines, "from typing import Any", "", "import torch", "import transformers"])


def _data(recipe: Recipe) -> str:
    lines = [f"MODEL = {recipe.model.reference!r}  # a folder or a name on the hub"]
    source = resolve(recipe.model.reference)
    if recipe.model.weights == "random" and isinstance(source, BuiltIn):
        lines += [
            "# It was measured with random weights of this architecture: put your own folder into MODEL.",
            f"CONFIG: dict[str, Any] = {dict(source.entry.config)!r}",
        ]
    if recipe.edits:
        lines.append("EDITS = [")
        lines += [f"    ({e.what!r}, {e.path!r}, {list(e.numbers)!r})," for e in recipe.edits]
        lines.append("]")
    return "\n".join(lines)


def _sources(recipe: Recipe) -> list[str]:
    names = []
    if recipe.edits:
        names.append("editing")
    if recipe.plan.quantization == "int8-dynamic":
        names.append("quantizing")
    if recipe.plan.compiling != "off":
        names.append("compiling")
    if recipe.plan.batching == "packed":
        names.append("packing")
    folder = files("cyclescope.backends.torch") / "standalone"
    return [_body((folder / f"{name}.py").read_text(encoding="utf-8")) for name in names]


def _body(source: str) -> str:
    """The definitions of a file, without its docstring and imports."""
    tree = ast.parse(source)
    first = next(node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return "\n".join(source.splitlines()[first.lineno - 1 :])


def _build(recipe: Recipe) -> str:
    plan = recipe.plan
    auto = _AUTO.get(recipe.model.task, "AutoModel")
    settings: dict[str, Any] = {"attn_implementation": plan.attention} if plan.attention != "own" else {}
    given = "".join(f", {name}={value!r}" for name, value in settings.items())
    lines = [
        "def build(reference: str = MODEL) -> tuple[Any, Any]:",
        '    """The tokenizer and the optimised model."""',
        f"    torch.set_num_threads({plan.threads})" if plan.threads else "",
        "    tokenizer = transformers.AutoTokenizer.from_pretrained(reference)",
        f"    model = transformers.{auto}.from_pretrained(reference, dtype=torch.{plan.dtype}{given}).eval()",
        "    edit(model, EDITS)" if recipe.edits else "",
        "    model = quantized(model)" if plan.quantization == "int8-dynamic" else "",
        f"    model = compiled(model, freezing={plan.compiling == 'inductor-freezing'})"
        if plan.compiling != "off"
        else "",
        "    model = Packed(model)" if plan.batching == "packed" else "",
        "    return tokenizer, model",
    ]
    written = recipe.work.tokens_out
    run = ["", "", "def run(tokenizer: Any, model: Any, texts: list[str]) -> Any:"]
    if written:
        extra = {"prompt_lookup_num_tokens": _LOOKED_UP} if plan.drafting == "prompt-lookup" else {}
        if plan.cache == "static":
            extra["cache_implementation"] = "static"  # type: ignore[assignment]
        options = "".join(f", {name}={value!r}" for name, value in extra.items())
        run += [
            '    """The texts that the model writes on."""',
            '    inputs = tokenizer(texts, return_tensors="pt")',
            f"    given = model.generate(**inputs, max_new_tokens={written}, do_sample=False{options})",
            "    return tokenizer.batch_decode(given, skip_special_tokens=True)",
        ]
    else:
        run += [
            '    """What the model gives for each call\'s texts, in order."""',
            *_calls(recipe),
        ]
    return "\n".join(line for line in [*lines, *run] if line or line == "")


def _calls(recipe: Recipe) -> list[str]:
    """Lines that make the calls as the plan puts texts together."""
    call = [
        'inputs = tokenizer(some, padding=True, truncation=True, return_tensors="pt")',
        "results.append(model(**inputs))",
    ]
    size = recipe.plan.batch
    order = "sorted(texts, key=len)" if recipe.plan.batching == "length" else "texts"
    step = f"range(0, len(texts), {size})" if size else "range(1)"
    chosen = f"ordered[at : at + {size}]" if size else "ordered"
    return [
        f"    ordered, results = {order}, []",
        f"    for at in {step}:",
        f"        some = {chosen}",
        *[f"        {line}" for line in call],
        "    return results",
    ]


_RUN = ""
_MAIN = """
if __name__ == "__main__":
    with torch.inference_mode():
        for result in run(*build(), sys.argv[1:] or ["A text to try it with."]):
            print(result)
"""
