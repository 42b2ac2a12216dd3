"""The architecture as tests: what import-linter does not see."""

from __future__ import annotations

import ast
import fnmatch
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import cyclescope
from cyclescope.backends.engine import Engine
from cyclescope.backends.engines import ENGINES
from cyclescope.core.plan import REFERENCE_ENGINE

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "cyclescope"
MODULES = sorted(SOURCE.rglob("*.py"))

NOUNS = {"Cycle", "Graph", "Machine", "Plan", "Workload"}
PUBLIC = NOUNS | {
    "__version__",
    "apply",
    "calibrate",
    "compare",
    "explain",
    "import_trace",
    "load",
    "measure",
    "measure_dialogue",
    "measure_pair",
    "optimize",
    "predict",
    "save",
    "trace",
    "verify",
    "watch",
}
FRAMEWORKS = {"torch", "transformers", "tokenizers", "safetensors", "onnxruntime", "openvino", "tensorflow"}
# What makes a program slow to start, and what a person who only asks for help must not wait for.
HEAVY = FRAMEWORKS | {"scipy", "pandas", "matplotlib", "sklearn"}
# Put together from pieces, so that this file itself names none of them.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("deb", "debian", "org"),
        ("download", "pytorch", "org"), ("proxy", "golang", "org"), ("static", "crates", "io"), ("conda", "anaconda", "org"),
    )
]  # fmt: skip
MACHINE_PATHS = ["/" + "/".join(parts) for parts in (("work", ""), ("tmp", "lab"), ("root", ""), ("home", "runner"))]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def repository_files() -> Iterator[Path]:
    """Every file that git could track: all but .git and the folders and patterns of .gitignore."""
    ignored = [".git", *(line.strip().strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line)]

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored):
                continue
            if path.is_dir() and not path.is_symlink():
                yield from walk(path)
            elif path.is_file():
                yield path

    return walk(ROOT)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All of a file's syntax: six tests walk through all files."""
    return tuple(ast.walk(tree_of(path)))


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_public_names_are_exactly_these() -> None:
    assert set(cyclescope.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_name_can_be_had_and_is_documented(name: str) -> None:
    assert getattr(cyclescope, name).__doc__


def test_functions_are_not_hidden_by_the_folders_of_the_same_name() -> None:
    """Importing `cyclescope.explain.…` binds the folder as an attribute of the package, over the function `explain`."""
    code = (
        "import cyclescope, cyclescope.explaining.closure, cyclescope.measuring.measure\n"
        "for _ in range(2): assert callable(cyclescope.explain) and callable(cyclescope.measure), cyclescope.explain"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = cyclescope.no_such_name


@pytest.mark.parametrize(
    "statement",
    [
        "import cyclescope",
        "import cyclescope.cli.main",
        "import cyclescope; cyclescope.measure, cyclescope.load, cyclescope.explain, cyclescope.Cycle",
    ],
)
def test_import_loads_nothing_heavy(statement: str) -> None:
    assert loaded_by(statement) & HEAVY == set()


def test_the_bare_package_loads_nothing_but_itself() -> None:
    assert "numpy" not in loaded_by("import cyclescope")


def test_every_module_has_a_docstring() -> None:
    without = [relative(path) for path in MODULES if tree_of(path).body and not ast.get_docstring(tree_of(path))]

    assert without == []


def test_nothing_is_named_utils_or_common() -> None:
    vague = {"utils", "util", "helpers", "common", "misc"}

    assert [relative(p) for p in MODULES if {p.stem, *p.relative_to(SOURCE).parts[:-1]} & vague] == []


ENGINE_WORD = re.compile("|".join(rf"\b{re.escape(word)}\b" for e in ENGINES for word in (e.name, e.title)))
# What may name an engine: its folder, the tuple of all, and the name of the one that the others are held against.
# Graph networks are trained in a framework that happens to be an engine too; a format of traces bears the name of what writes it.
NAMES_ENGINES = (
    *(f"backends/{engine.name}/" for engine in ENGINES), "backends/engines.py", "core/plan.py", "predicting/gnn/training.py",
    "importing/formats/",
)  # fmt: skip


def test_no_engine_is_known_by_name_outside_its_folder() -> None:
    """Nowhere in code: as a string, a part of one, or a part of an identifier. Sentences of reports may recommend one."""
    found = []
    for path in MODULES:
        place = path.relative_to(SOURCE).as_posix()
        if place.startswith(NAMES_ENGINES):
            continue
        nodes = nodes_of(path)
        strings = [text for text in strings_in(nodes) if not (place.startswith("report/") and " " in text)]
        parts = {part for name in identifiers_in(nodes) for part in re.split(r"[._]", name.lower())}
        found += [(place, text) for text in strings if ENGINE_WORD.search(text)]
        found += [(place, engine.name) for engine in ENGINES if engine.name in parts]

    assert found == []


def strings_in(nodes: Collection[ast.AST]) -> Iterator[str]:
    """The strings of code, without docstrings and the like."""
    said = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def identifiers_in(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names of variables, attributes, arguments, functions, classes and imported modules."""
    for node in nodes:
        for field in ("id", "attr", "arg", "name", "module", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield name


def test_the_reference_engine_comes_first() -> None:
    assert ENGINES[0].name == REFERENCE_ENGINE
    assert [engine.name for engine in ENGINES if engine.capabilities.native] == [REFERENCE_ENGINE]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_has_an_extra_that_installs_its_packages(engine: Engine) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = " ".join(extras[engine.extra])
    while found := re.search(r"cyclescope\[(\w+)\]", wanted):
        wanted = wanted.replace(found[0], " ".join(extras[found[1]]))
    installed = set(re.findall(r"(?:^| )([\w-]+)", wanted))

    assert {*engine.packages, *engine.reads_with, *engine.companions} <= installed


FLOORS = {
    "cli": 8, "notebook": 8, "pytest_plugin": 8, "report": 7, "optimizing": 6, "calibrating": 5, "measuring": 4, "predicting": 4, "importing": 4,
    "explaining": 3, "tracing": 3, "backends": 2, "store": 2, "models": 1, "cost": 1, "machines": 1, "core": 0,
}  # fmt: skip


def test_no_module_is_imported_upward_by_a_string() -> None:
    """`import_module("cyclescope.…")` is an import too, though import-linter does not see it."""
    found = []
    for path in MODULES:
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if room not in FLOORS or room == "cli":
            continue
        for call in calls_in(path):
            name = ast.unparse(call.func).rpartition(".")[2]
            if name not in ("import_module", "__import__") or not call.args:
                continue
            target = call.args[0]
            if isinstance(target, ast.JoinedStr):
                parts = [node.value for node in target.values if isinstance(node, ast.Constant)]
                head = str(parts[0]) if parts else ""
            else:
                head = str(target.value) if isinstance(target, ast.Constant) else ""
            there = head.removeprefix("cyclescope.").partition(".")[0] if head.startswith("cyclescope.") else ""
            if ENGINE_WORD.search(head) or isinstance(target, ast.JoinedStr) or FLOORS.get(there, -1) > FLOORS[room]:
                found.append(f"{relative(path)}:{call.lineno} {ast.unparse(target)}")

    assert found == []


def test_sessions_on_files_need_no_framework() -> None:
    modules = [f"cyclescope.backends.artifacts.{p.stem}" for p in (SOURCE / "backends" / "artifacts").glob("[a-z]*.py")]

    assert loaded_by(f"import {', '.join(modules)}") & FRAMEWORKS == set()


def test_nothing_is_pickled() -> None:
    unsafe = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}

    assert [relative(p) for p in MODULES if imports_of(p) & unsafe] == []


def test_no_file_of_weights_or_arrays_may_unpickle() -> None:
    """`torch.load` without `weights_only=True`, `numpy.load` with `allow_pickle=True`."""
    found = []
    for path in MODULES:
        for call in calls_in(path):
            keywords = {k.arg: ast.unparse(k.value) for k in call.keywords}
            name = ast.unparse(call.func)
            if keywords.get("allow_pickle") == "True" or (
                name == "torch.load" and keywords.get("weights_only") != "True"
            ):
                found.append(f"{relative(path)}:{call.lineno} {name}")

    assert found == []


def test_remote_code_is_never_switched_on() -> None:
    """No call and no default says `trust_remote_code=True`; the user's own word may be passed on."""
    found = []
    for path in MODULES:
        found.extend(
            f"{relative(path)}:{call.lineno}"
            for call in calls_in(path)
            if any(k.arg == "trust_remote_code" and ast.unparse(k.value) == "True" for k in call.keywords)
        )
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.extend(
                    f"{relative(path)}:{node.lineno}"
                    for name, default in defaults_of(node)
                    if name == "trust_remote_code" and ast.unparse(default) == "True"
                )

    assert found == []


def calls_in(path: Path) -> Iterator[ast.Call]:
    return (node for node in nodes_of(path) if isinstance(node, ast.Call))


def defaults_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        yield from zip((a.arg for a in positional[-len(arguments.defaults) :]), arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument.arg, default


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found.extend(f"{relative(path)}: {word}" for word in [*REGISTRY_HOSTS, *MACHINE_PATHS] if word in text)

    assert found == []


def test_torch_is_pinned_in_one_place() -> None:
    pins = [
        relative(path)
        for path in repository_files()
        if path.suffix in {".txt", ".toml", ".cfg", ".yml", ".yaml"} and "torch==" in path.read_text(encoding="utf-8")
    ]

    assert pins == ["constraints.txt"]
