"""Predictions of real model classes: the graph is that of a trace, and no weights are made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cyclescope
from cyclescope.core.cycle import Source
from cyclescope.core.errors import UnknownModel, Unsupported
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.metrics.definition import MetricName
from cyclescope.machines.catalog import find_machine

DEVICE = "NVIDIA H100 PCIe"


def test_an_encoder_on_a_device_of_the_catalogue() -> None:
    cycle = cyclescope.predict("bert-tiny", tokens=16, batch=2, on=DEVICE)
    graph = cyclescope.trace("bert-tiny", tokens=16, batch=2, device="cuda")
    assert cycle.source is Source.PREDICTED
    assert cycle.graph.names == graph.names
    np.testing.assert_array_equal(cycle.graph.flops, graph.flops)
    assert (cycle.workload.batch, cycle.workload.tokens_in, cycle.workload.model.class_name) == (2, 16, "BertModel")
    assert (cycle.plan.device, cycle.plan.threads, cycle.plan.attention) == ("cuda", 0, "sdpa")
    ceilings = find_machine(DEVICE)
    assert ceilings is not None
    peak, memory = ceilings.peak("float32", 0), ceilings.bandwidths[0].bytes_per_s
    assert peak is not None
    least = max(graph.flops.sum() / peak.value, (graph.read_bytes + graph.written_bytes).max() / memory.value)
    assert cycle.samples.uninstrumented.wall_ns[0] >= least * NS_PER_S


def test_a_longer_input_takes_longer() -> None:
    walls = [
        cyclescope.predict("bert-tiny", tokens=tokens, on=DEVICE).samples.uninstrumented.wall_ns[0]
        for tokens in (32, 256)
    ]
    assert walls[1] > 2 * walls[0]


def test_a_cycle_that_does_not_fit_is_predicted_with_the_memory_that_is_missing() -> None:
    batch, tokens, width = 32_768, 256, 512
    cycle = cyclescope.predict("bert-tiny", tokens=tokens, batch=batch, on="NVIDIA T4")
    said = cycle.samples.prediction
    assert said is not None
    intermediate = 4 * batch * tokens * width
    assert said.missing_bytes > intermediate - 16e9 > 0
    assert cycle.samples.uninstrumented.wall_ns[0] > intermediate / 320e9 * NS_PER_S


def test_a_generation_has_its_steps_and_its_metrics(tmp_path: Path) -> None:
    config = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2, "vocab_size": 99, "n_positions": 64}
    (tmp_path / "config.json").write_text(json.dumps(config))
    cycle = cyclescope.predict(str(tmp_path), tokens=8, new_tokens=4, on=DEVICE)
    found = cyclescope.explain(cycle).generation
    assert found is not None
    assert (found.tokens, found.predicted, [step.step for step in found.steps]) == (4, True, [0, 1, 2, 3])
    assert cycle.samples.tokens is not None
    emitted = cycle.samples.tokens.emitted_ns
    assert (np.diff(emitted, axis=1) > 0).all()
    assert (emitted[:, -1] <= cycle.samples.uninstrumented.wall_ns).all()
    values = {metric.definition.name: metric.figure.value for metric in found.metrics if metric.figure is not None}
    assert values[MetricName.TTFT] == pytest.approx(np.median(emitted[:, 0]))
    assert values[MetricName.TPOT] == pytest.approx(np.median(emitted[:, -1] - emitted[:, 0]) / 3)
    assert found.dialects == ()


def test_a_decode_step_behind_more_tokens_takes_longer() -> None:
    walls = [
        cyclescope.predict("gpt2", cache_length=length, batch=64, on=DEVICE).samples.uninstrumented.wall_ns[0]
        for length in (8, 512)
    ]
    assert walls[1] > 1.5 * walls[0]


def test_a_type_that_a_machine_does_not_have_is_refused() -> None:
    with pytest.raises(Unsupported, match="no figure for matrix products in bfloat16"):
        cyclescope.predict("bert-tiny", tokens=8, dtype="bfloat16", on="NVIDIA T4")


def test_a_model_that_there_is_not_is_refused_as_everywhere() -> None:
    with pytest.raises(UnknownModel):
        cyclescope.predict("no-such-model-anywhere", on=DEVICE)
