"""Engines that run a model from a file: the same results as the model itself, and an account of their own operations."""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from command_line import model_folder
from installed import needs

from cyclescope.backends.base import Request, ReshapableSession
from cyclescope.backends.registry import open_session
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import Plan
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure_session
from cyclescope.models.packaged import minilm_folder
from cyclescope.store.run_file import load, save

ENGINES = [pytest.param(name, marks=needs(name)) for name in ("onnxruntime", "openvino")]
TEXTS = ("A first text that is a little longer than the other one.", "Second.")


LAYERS = 3


def asked(engine, model="minilm", shared=None, **plan):
    return Request(model=model, texts=TEXTS, plan=Plan(engine=engine, threads=1, **plan), shared=shared)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Where MiniLM lies once it is exported, which takes longer than all else here."""
    return str(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    """Its first three layers: what is left out takes as long to export, and is of the same kind."""
    whole, half = minilm_folder(), tmp_path_factory.mktemp("minilm")
    if whole is None:
        pytest.skip("the weights of MiniLM are not installed")
    for file in whole.iterdir():
        if file.is_file():
            (half / file.name).symlink_to(file)
    facts = json.loads((half / "config.json").read_text())
    (half / "config.json").unlink()
    (half / "config.json").write_text(json.dumps(facts | {"num_hidden_layers": LAYERS}))
    return str(half)


@pytest.fixture(scope="module")
def torch_session(minilm):
    session = open_session(asked("torch", minilm))
    yield session
    session.close()


@pytest.fixture(scope="module", params=ENGINES)
def session(request, minilm, shared):
    opened = open_session(asked(request.param, minilm, shared))
    yield opened
    opened.close()


def test_float32_gives_what_the_model_gives(session, torch_session):
    """Real weights. The largest difference is told beside the largest number: MiniLM has one of 6 among those below 1."""
    given, wanted = session.results(), torch_session.results()
    real = wanted.mask.astype(bool)
    assert np.array_equal(given.mask, wanted.mask)
    assert np.abs(given.hidden - wanted.hidden)[real].max() < 1e-4 * np.abs(wanted.hidden).max()
    assert np.abs(given.pooled - wanted.pooled).max() < 1e-4


def test_the_work_is_that_of_the_model(session, torch_session):
    graph, traced = session.trace(), torch_session.trace()
    graph.self_check()
    assert graph.total.flops == traced.total.flops
    assert graph.stages == traced.stages
    layers = {frame.layer for frame in graph.frames if frame.layer is not None}
    assert layers == {frame.layer for frame in traced.frames if frame.layer is not None}
    attention = [i for i, kind in enumerate(graph.kinds) if kind is OpKind.ATTENTION]
    assert [graph.location(i).layer for i in attention] == list(range(LAYERS))  # one fused operation in each layer


def test_every_layer_is_one_call(session):
    graph = session.trace()
    paths = [
        frame.module for frame in graph.frames if frame.layer is not None and graph.frames[frame.parent].layer is None
    ]
    assert paths == [f"encoder.layer.{k}" for k in range(LAYERS)]


def test_a_cycle_of_the_engine_is_a_cycle_like_any_other(session, tmp_path):
    cycle = measure_session(session, 1_500_000_000)
    assert cycle.plan.engine == session.plan.engine
    assert cycle.graph.engine_between
    save(cycle, tmp_path / "run.cycle")
    again = explain(load(tmp_path / "run.cycle"))
    told = explain(cycle)
    assert [row.name for row in again.stages] == ["tokenize", "embed", "encode", "head"]
    assert [row.time for row in again.stages] == [row.time for row in told.stages]
    # Whatever the machine did meanwhile: all time of the instrumented runs is booked, and in no slot less than none.
    slots = np.diff(cycle.samples.instrumented.boundaries_ns, axis=1)
    assert (slots >= 0).all()
    assert np.array_equal(slots.sum(axis=1), cycle.samples.instrumented.wall_ns)
    assert {row.index for row in told.layers} == set(range(LAYERS))
    matmul = next(row for row in told.kinds if row.name == "matmul")
    assert matmul.time.value_ns > 0
    assert matmul.cost.flops > cycle.graph.total.flops / 2


def test_the_model_that_is_ready_runs_at_another_shape(session):
    assert isinstance(session, ReshapableSession)
    other = session.reshaped(3, 7, 0)
    assert other.uninstrumented(1)[0].wall_ns > 0
    given = other.results()
    assert given.hidden.shape[:2] == given.mask.shape == (3, 7)
    # The third text is the first again, and the shape that the session was opened with is untouched.
    np.testing.assert_allclose(given.pooled[2], given.pooled[0], rtol=1e-3, atol=1e-5)
    assert (other.workload.batch, other.workload.tokens_in) == (3, 7)
    assert session.results().mask.shape == (2, session.workload.tokens_in)
    other.trace().self_check()


def test_another_graph_is_refused(session, torch_session):
    session.trace()
    with pytest.raises(ValueError, match="not traced by this session"):
        session.instrumented(torch_session.trace(), 1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("quantization", ["int8-dynamic", "int8-weights"])
def test_quantized_it_drifts_a_little(engine, quantization, torch_session, minilm, shared):
    session = open_session(asked(engine, minilm, shared, quantization=quantization))
    try:
        given, wanted = session.results(), torch_session.results()
        assert session.plan.quantization == quantization
    finally:
        session.close()
    real = wanted.mask.astype(bool)
    a, b = given.hidden[real], wanted.hidden[real]
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    assert 0.97 < cosine.mean() < 0.999999


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_cannot_do_is_unsupported(engine):
    for plan in ({"compiling": "inductor"}, {"drafting": "prompt-lookup"}, {"device": "cuda"}):
        with pytest.raises(Unsupported):
            open_session(asked(engine, **plan))


@dataclass(frozen=True)
class Opening:
    """What one opening of a small model left behind: files where they were asked for, files elsewhere, connections."""

    parameters: int
    kept: tuple[Path, ...]
    elsewhere: tuple[Path, ...]
    connections: tuple[object, ...]


@pytest.fixture(scope="module", params=ENGINES)
def opening(request, minilm, shared, tmp_path_factory):
    """MiniLM, then a small model, which is exported whole: what PyTorch makes once in a process lies elsewhere by then."""
    folder = tmp_path_factory.mktemp("opening")
    model = str(model_folder(folder, num_hidden_layers=1))
    kept, scratch = folder / "kept", folder / "scratch"
    scratch.mkdir()
    tried = []

    def refuse(*target: object, **_: object) -> None:
        tried.append(target)
        raise AssertionError("a connection was opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        open_session(asked(request.param, minilm, shared)).close()
        patch.setattr("tempfile.tempdir", str(scratch))
        session = open_session(replace(asked(request.param, model), export_to=str(kept)))
        session.close()
    parameters = session.workload.model.parameters
    return Opening(parameters, tuple(kept.iterdir()), tuple(scratch.iterdir()), tuple(tried))


def test_files_go_where_the_user_says_and_nothing_stays_elsewhere(opening):
    assert opening.elsewhere == ()
    assert sum(file.stat().st_size for file in opening.kept) > 4 * opening.parameters
    assert not [file for file in opening.kept if file.suffix in (".pkl", ".pt", ".pickle")]


def test_no_connection_is_opened_and_no_telemetry_is_loaded(opening):
    assert opening.connections == ()
    # The code of a recipe, which other tests run here, leaves None there: this makes an import fail.
    loaded = [name for name, module in sys.modules.items() if module is not None]
    assert not [name for name in loaded if name.partition(".")[0] == "openvino_telemetry"]
