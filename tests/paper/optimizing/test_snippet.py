"""The code of a recipe: whole Python, nothing of ours in it, nothing of a stranger's but as a literal."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace

import pytest

from cyclescope.core.edits import LOAD_WEIGHTS, Edit
from cyclescope.core.errors import CyclescopeError, Unsupported
from cyclescope.core.plan import Plan
from cyclescope.optimizing.recipes.recipe import Recipe
from cyclescope.optimizing.recipes.snippet import snippet
from cyclescope.optimizing.recipes.snippet_model import model_for

from .recipes import BASE, EDITS, USUAL, recipe

ORT = Plan(engine="onnxruntime", threads=2, attention="engine")
PLANS = {
    "threads": recipe(),
    "half, eager": recipe(Plan(threads=2, dtype="bfloat16", attention="eager")),
    "groups": recipe(Plan(threads=1, batch=2, batching="length", overlap=True)),
    "packed": recipe(Plan(threads=1, batching="packed")),
    "int8": recipe(Plan(threads=1, quantization="int8-dynamic")),
    "compiled": recipe(Plan(threads=1, compiling="inductor-freezing")),
    "edited": replace(USUAL, edits=EDITS),
    "taught": replace(USUAL, edits=(*EDITS, Edit(LOAD_WEIGHTS, "student.safetensors"))),
    "processes": recipe(Plan(threads=1, instances=2)),
    "classify": recipe(task="classify"),
    "fill": recipe(task="fill"),
    "embed with a decoder": recipe(encoder_decoder=True),
    "write": recipe(Plan(threads=1, cache="static"), "generate", 8, reference="gpt2"),
    "translate": recipe(task="translate", written=8, reference="t5-small", encoder_decoder=True),
    "lookup": recipe(Plan(threads=1, drafting="prompt-lookup"), "generate", 8, reference="gpt2"),
    "first layers": recipe(Plan(threads=1, drafting="layers:3"), "generate", 8, reference="gpt2"),
    "draft": recipe(Plan(threads=1, drafting="gpt2"), "generate", 8, reference="gpt2"),
    "onnxruntime": recipe(ORT),
    "openvino": recipe(replace(ORT, engine="openvino", quantization="int8-dynamic"), "classify"),
    "onnxruntime writes": recipe(ORT, "generate", 8, reference="gpt2"),
    "openvino writes": recipe(
        replace(ORT, engine="openvino", drafting="prompt-lookup"), "generate", 8, reference="gpt2"
    ),
    "ctranslate2": recipe(replace(ORT, engine="ctranslate2", quantization="int8-dynamic")),
    "ctranslate2 writes": recipe(replace(ORT, engine="ctranslate2"), "generate", 8, reference="gpt2"),
    "ctranslate2 translates": recipe(
        replace(ORT, engine="ctranslate2"), task="translate", written=8, reference="t5-small", encoder_decoder=True
    ),
}


def code(of: Recipe) -> str:
    return snippet(of, model_for(of))


@pytest.mark.parametrize("name", PLANS)
def test_every_name_that_the_code_uses_is_there(name: str) -> None:
    """What is imported is used, what is used is imported or defined, and nothing of ours is."""
    tree = ast.parse(code(PLANS[name]))
    imported: set[str] = set()
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {(a.asname or a.name).partition(".")[0] for a in node.names}
            modules |= {a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {a.name for a in node.names}
            modules.add((node.module or "").partition(".")[0])
    top = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    allowed = {
        "torch",
        "transformers",
        "numpy",
        "safetensors",
        "onnxruntime",
        "openvino",
        "ctranslate2",
        *sys.stdlib_module_names,
    }
    assert modules <= allowed
    assert "cyclescope" not in modules
    assert imported - used <= {"annotations"}
    assert top - used <= {"main"}  # every definition is needed
    assert {"build", "run", "main"} <= top


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "ctranslate2", "ctranslate2 writes"])
def test_an_engine_with_a_file_needs_no_pytorch(name: str) -> None:
    assert "import torch" not in code(PLANS[name])
    assert "torch." not in code(PLANS[name])


def test_the_code_says_what_it_is_and_where_it_was_proved() -> None:
    head = ast.get_docstring(ast.parse(code(USUAL)))
    assert head is not None
    assert "1.50 times as fast" in head
    assert "Paper 9000, 2 cores, 2026-01-02" in head
    assert "not proved" not in head
    unproved = ast.get_docstring(ast.parse(code(replace(USUAL, proof=replace(USUAL.proof, proved=False)))))
    assert unproved is not None
    assert "1.50 times as fast as run as it is (99 % interval 1.40 to 1.60; not proved)." in unproved


def test_random_weights_are_built_from_the_configuration_and_said_to_be_so() -> None:
    text = code(USUAL)
    assert "CONFIG: dict[str, Any] = {" in text
    assert "random" in text
    assert "'vocab_size': 21128" in text


HOSTILE = '"""\nimport os; os.system("x")\n"""'


@pytest.mark.parametrize("name", ["cache", "decoding", "compiling", "quantization", "batching"])
def test_a_plan_takes_no_hostile_text_for_a_value_of_few(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        replace(BASE, **{name: HOSTILE})


@pytest.mark.parametrize(
    "hostile",
    [
        replace(USUAL, plan=replace(BASE, dtype="float32); import os; (0")),
        replace(USUAL, plan=replace(BASE, attention=f"sdpa'); {HOSTILE}")),
        replace(USUAL, plan=replace(BASE, engine=HOSTILE)),
        replace(USUAL, plan=replace(BASE, engine="ctranslate2", dtype=HOSTILE)),
        replace(USUAL, plan=replace(BASE, drafting=f"layers:{HOSTILE}")),
        replace(USUAL, proof=replace(USUAL.proof, processor=HOSTILE, version=HOSTILE, taken_at=HOSTILE)),
        replace(USUAL, proof=replace(USUAL.proof, packages=(HOSTILE, "\\"))),
        replace(USUAL, edits=(Edit(HOSTILE, HOSTILE, (1,)),)),
        replace(USUAL, edits=(Edit(LOAD_WEIGHTS, HOSTILE),)),
        replace(USUAL, model=replace(USUAL.model, task=HOSTILE)),
        recipe(replace(BASE, drafting=f"layers:{HOSTILE}"), "generate", 8, reference="gpt2"),
        recipe(replace(BASE, drafting=HOSTILE), "generate", 8, reference="gpt2"),
    ],
)
def test_a_strangers_recipe_puts_no_code_of_its_own_into_the_code(hostile: Recipe) -> None:
    """Whatever it says ends up in a literal, or is refused."""
    try:
        tree = ast.parse(code(hostile))
    except CyclescopeError:
        return
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "os.system" not in calls
    assert all(a.name != "os" for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (recipe(task="answer"), r"task .* \(got answer\)"),
        (recipe(Plan(engine="tensorflow")), r"engine .* \(got tensorflow\)"),
        (recipe(Plan(device="cuda")), "device 'cuda'"),
        (recipe(ORT, "translate", 8, encoder_decoder=True), "encoder-decoder on onnxruntime"),
        (recipe(replace(ORT, engine="openvino"), encoder_decoder=True), "encoder-decoder on openvino"),
        (recipe(Plan(quantization="int4-weights")), "quantization 'int4-weights'"),
        (recipe(Plan(decoding="sample")), "decoding 'sample'"),
    ],
)
def test_what_there_is_no_code_for_is_refused(asked: Recipe, said: str) -> None:
    with pytest.raises(Unsupported, match=said):
        code(asked)
