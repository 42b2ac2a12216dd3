"""Small cycles to save, with something in every kind of field."""

from __future__ import annotations

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.samples import Instrumentation, InstrumentedSamples, Load, Samples, SetUp, UninstrumentedSamples
from cyclescope.core.workload import InputSource, ModelFacts, Weights, Workload


def small_graph(layers: int = 3) -> Graph:
    b = GraphBuilder()
    with b.frame("", "Tokenizer", stage="tokenize"):
        text = b.tensor((1, 16), "text", TensorRole.INPUT)
        ids = b.tensor((1, 16), "int64")
        b.op("tokenize", OpKind.TEXT, [text], [ids])
    with b.frame("", "Model"):
        with b.frame("embeddings", "Embeddings"):
            table = b.tensor((100, 8), role=TensorRole.PARAMETER, name="word_embeddings.weight")
            x = b.tensor((1, 16, 8))
            b.op("embedding", OpKind.EMBEDDING, [table, ids], [x])
        with b.frame("encoder", "Encoder"):
            for i in range(layers):
                with b.frame(f"encoder.layer.{i}", "Layer"):
                    for part in ("attention", "output"):
                        with b.frame(f"encoder.layer.{i}.{part}", "Linear"):
                            y = b.tensor((1, 16, 8))
                            b.op("linear", OpKind.MATMUL, [x], [y], Cost(100, 0, 10, 10))
                            x = y
    return b.build(traced_on="meta", notes=("a note",))


def small_cycle(*, runs: int = 5, seed: int = 0, texts: tuple[str, ...] = ()) -> Cycle:
    graph = small_graph()
    rng = np.random.default_rng(seed)
    gaps = rng.integers(1_000, 90_000, (runs, len(graph.slots)))
    boundaries = np.concatenate([np.zeros((runs, 1), dtype=np.int64), np.cumsum(gaps, axis=1)], axis=1)
    column = rng.integers(1, 1 << 40, (3, runs))
    return Cycle(
        source=Source.MEASURED,
        workload=Workload(
            model=ModelFacts("bert", "BertModel", "bert", 800, 3200, Weights.RANDOM, "stand-in", 512, "a paper"),
            task="embed",
            input_source=InputSource.TEXT,
            batch=1,
            tokens_in=16,
            real_tokens=16,
            characters=17,
            text_bytes=41,
            texts=texts,
            outcome="a vector",
        ),
        plan=Plan(threads=2),
        machine=Machine("a processor", 2, 1 << 30, "Linux", "3.11", packages=(("numpy", "2.3"), ("torch", "2.13"))),
        graph=graph,
        samples=Samples(
            uninstrumented=UninstrumentedSamples(column[0], column[1], column[2]),
            instrumented=InstrumentedSamples(boundaries, column[1], column[2]),
            instrumentation=Instrumentation("shims", 120.5, 60.0, "a twin", 9),
            set_up=SetUp(import_ns=10, first_cycle_ns=20, warmup_cycles=3),
            load=Load(other_busy=0.25),
            budget_ns=10**9,
        ),
        taken_at="2026-01-02T03:04:05Z",
        version="0.1.0",
        notes=("这是一个笔记", "a lone \udc80 surrogate"),
    )
