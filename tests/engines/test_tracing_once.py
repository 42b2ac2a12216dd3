"""A structure that was traced before: the same graph, read without any framework."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cyclescope.backends.base import Request
from cyclescope.core.codec import encode
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.store.kept_structures import structures_folder
from cyclescope.tracing import structures
from cyclescope.tracing.trace import trace

TINY = {
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "vocab_size": 64,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 64,
}  # fmt: skip


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path / "home"))
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    return tmp_path / "config.json"


def files() -> set[str]:
    folder = structures_folder()
    assert folder is not None
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def same(a: Graph, b: Graph) -> bool:
    (one, arrays), (other, others) = encode(a), encode(b)
    return bool(one == other and all((x == y).all() for x, y in zip(arrays, others, strict=True)))


def test_the_second_trace_is_the_first_and_traces_nothing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = trace(str(model), tokens=5), trace(str(model), cache_length=5)
    assert len(files()) == 2

    def fail(request: Request) -> Graph:
        raise AssertionError("traced again")

    monkeypatch.setattr(structures, "open_trace", fail)
    again = trace(str(model), tokens=5), trace(str(model), cache_length=5)
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


def test_all_that_a_structure_follows_from_makes_a_file_of_its_own(model: Path) -> None:
    trace(str(model), tokens=5)
    for other in ({"tokens": 6}, {"batch": 2}, {"dtype": "bfloat16"}, {"attention": "eager"}, {"task": "generate"}):
        before = files()
        trace(str(model), **{"tokens": 5, **other})  # type: ignore[arg-type]
        assert len(files()) == len(before) + 1, other
    before = files()
    model.write_text(json.dumps(TINY | {"num_hidden_layers": 1}))
    trace(str(model), tokens=5)
    assert len(files()) == len(before) + 1


def test_what_cannot_be_traced_is_refused_each_time(model: Path) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="128"):
            trace(str(model), tokens=128)
    assert not files()


def test_a_model_with_code_of_its_own_is_never_kept(model: Path) -> None:
    model.write_text(json.dumps(TINY | {"auto_map": {"AutoModel": "x.Y"}}))
    trace(str(model), tokens=5, trust_remote_code=True)
    assert not files()


def test_a_kept_structure_needs_no_framework(model: Path) -> None:
    trace(str(model), tokens=5, batch=1, dtype="float32")
    code = (
        "import sys\nfrom cyclescope.cli.main import run\n"
        "try:\n    run()\nfinally:\n    print(sorted({'torch', 'transformers'} & sys.modules.keys()), file=sys.stderr)"
    )
    asked = [sys.executable, "-c", code, "trace", str(model), "--tokens", "5"]
    done = subprocess.run(asked, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_no_text_of_the_users_stands_in_a_kept_structure(model: Path) -> None:
    trace(str(model), tokens=5)
    folder = structures_folder()
    assert folder is not None
    for path in folder.iterdir():
        with zipfile.ZipFile(path) as kept:
            content = b"".join(kept.read(name) for name in kept.namelist())
        assert str(model.parent).encode() not in content
