"""Models on paper: graphs of real proportions, and cycles of them with times that are known to the nanosecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cyclescope.backends.paper import PAPER_MACHINE, PaperSession, Script
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.plan import Plan
from cyclescope.core.samples import InstrumentedSamples, Load, Samples, SetUp, UninstrumentedSamples
from cyclescope.core.units import IntArray
from cyclescope.core.workload import InputSource, ModelFacts, Weights, Workload

# What the paper machine does in a second, and what an operation and a gap in Python cost on it.
FLOPS_PER_S, BYTES_PER_S, OP_NS, GAP_NS = 50e9, 10e9, 3_000, 12_000
# Nine runs that differ a little, so that intervals are not empty. A whole number of rounds repeats exactly.
PACE = (1.0, 1.01, 0.995, 1.002, 0.99, 1.004, 1.015, 0.998, 1.001)


class PaperBert:
    """Builds the graph of a BERT call by call, with the costs that its shapes imply (float32)."""

    def __init__(self, layers: int, batch: int, tokens: int, hidden: int, vocabulary: int) -> None:
        self.b = GraphBuilder()
        self.layers, self.shape, self.vocabulary = layers, (batch, tokens, hidden), vocabulary

    def linear(self, x: int, module: str, width: int) -> int:
        *rows, inner = self.b.spec(x).shape
        count = int(np.prod(rows))
        with self.b.frame(module, "Linear"):
            w = self.b.tensor((width, inner), role=TensorRole.PARAMETER, name=f"{module}.weight")
            bias = self.b.tensor((width,), role=TensorRole.PARAMETER, name=f"{module}.bias")
            y = self.b.tensor((*rows, width))
            cost = Cost(
                2 * count * inner * width, count * width, 4 * (count * inner + inner * width + width), 4 * count * width
            )
            self.b.op("linear", OpKind.MATMUL, [x, w, bias], [y], cost)
        return y

    def pointwise(self, name: str, kind: OpKind, inputs: list[int]) -> int:
        spec = self.b.spec(inputs[0])
        y = self.b.tensor(spec.shape, spec.dtype)
        self.b.op(name, kind, inputs, [y], Cost(0, spec.elements, spec.bytes * len(inputs), spec.bytes))
        return y

    def norm(self, x: int, module: str) -> int:
        with self.b.frame(module, "LayerNorm"):
            return self.pointwise("layer_norm", OpKind.NORM, [x])

    def attention(self, q: int, k: int, v: int, module: str) -> int:
        batch, tokens, hidden = self.shape
        heads = max(1, hidden // 64)
        split = (batch, heads, tokens, hidden // heads)
        views = []
        for t in (q, k, v):
            view = self.b.tensor(split, storage=self.b.spec(t).storage)
            self.b.op("transpose", OpKind.VIEW, [t], [view])
            views.append(view)
        y = self.b.tensor(split)
        size = 4 * batch * tokens * hidden
        cost = Cost(4 * batch * tokens * tokens * hidden, 5 * batch * heads * tokens * tokens, 3 * size, size)
        self.b.op("scaled_dot_product_attention", OpKind.ATTENTION, views, [y], cost)
        merged = self.b.tensor(self.shape)
        self.b.op("reshape", OpKind.COPY, [y], [merged], Cost(0, 0, size, size))
        return merged

    def layer(self, x: int, path: str) -> int:
        hidden = self.shape[2]
        with self.b.frame(path, "BertLayer"):
            with self.b.frame(f"{path}.attention", "BertAttention"):
                with self.b.frame(f"{path}.attention.self", "BertSelfAttention"):
                    q, k, v = (
                        self.linear(x, f"{path}.attention.self.{part}", hidden) for part in ("query", "key", "value")
                    )
                    context = self.attention(q, k, v, path)
                with self.b.frame(f"{path}.attention.output", "BertSelfOutput"):
                    y = self.linear(context, f"{path}.attention.output.dense", hidden)
                    y = self.norm(
                        self.pointwise("add", OpKind.ELEMENTWISE, [y, x]), f"{path}.attention.output.LayerNorm"
                    )
            with self.b.frame(f"{path}.intermediate", "BertIntermediate"):
                z = self.linear(y, f"{path}.intermediate.dense", 4 * hidden)
                z = self.pointwise("gelu", OpKind.ACTIVATION, [z])
            with self.b.frame(f"{path}.output", "BertOutput"):
                z = self.linear(z, f"{path}.output.dense", hidden)
                return self.norm(self.pointwise("add", OpKind.ELEMENTWISE, [z, y]), f"{path}.output.LayerNorm")

    def graph(self) -> Graph:
        b, (batch, tokens, hidden) = self.b, self.shape
        with b.frame("", "BertTokenizer", stage="tokenize"):
            text = b.tensor((45,), "text", TensorRole.INPUT, name="text")
            ids = b.tensor((batch, tokens), "int64", name="input_ids")
            b.op("tokenize", OpKind.TEXT, [text], [ids], Cost(0, 0, 45, 8 * batch * tokens))
        with b.frame("", "BertModel"):
            with b.frame("embeddings", "BertEmbeddings"):
                table = b.tensor((self.vocabulary, hidden), role=TensorRole.PARAMETER, name="word_embeddings.weight")
                x = b.tensor(self.shape)
                size = 4 * batch * tokens * hidden
                b.op("embedding", OpKind.EMBEDDING, [table, ids], [x], Cost(0, 0, size + 8 * batch * tokens, size))
                positions = b.tensor(self.shape, role=TensorRole.BUFFER, name="positions")
                x = self.norm(self.pointwise("add", OpKind.ELEMENTWISE, [x, positions]), "embeddings.LayerNorm")
            with b.frame("encoder", "BertEncoder"):
                for i in range(self.layers):
                    x = self.layer(x, f"encoder.layer.{i}")
            with b.frame("pooler", "BertPooler"):
                first = b.tensor((batch, hidden), storage=b.spec(x).storage)
                b.op("select", OpKind.VIEW, [x], [first])
                self.pointwise("tanh", OpKind.ACTIVATION, [self.linear(first, "pooler.dense", hidden)])
        return b.build(traced_on="paper")


def paper_bert(
    layers: int = 12, *, batch: int = 1, tokens: int = 16, hidden: int = 768, vocabulary: int = 21_128
) -> Graph:
    """The graph of a BERT encoder with its tokenizer and pooler."""
    return PaperBert(layers, batch, tokens, hidden, vocabulary).graph()


def slot_times(graph: Graph, *, slow_layer: int | None = None, factor: float = 1.5) -> IntArray:
    """True time of every slot [slots]: a roofline for operations, a constant for Python; one layer may be slow."""
    slots = graph.slots
    times = np.full(len(slots), GAP_NS, dtype=np.float64)
    for s, op in enumerate(slots.op):
        if op >= 0:
            cost = graph.cost(int(op))
            work = cost.flops + cost.elementwise_flops
            moved = cost.read_bytes + cost.written_bytes
            times[s] = OP_NS + 1e9 * max(work / FLOPS_PER_S, moved / BYTES_PER_S)
            if graph.kinds[int(op)] is OpKind.TEXT:
                times[s] += 150_000
        if slow_layer is not None and slots.layer[s] == slow_layer:
            times[s] *= factor
    rounded: IntArray = np.rint(times).astype(np.int64)
    return rounded


PAPER_BERT_WORKLOAD = Workload(
    model=ModelFacts(
        reference="bert-base-chinese",
        class_name="BertModel",
        model_type="bert",
        parameters=102_267_648,
        parameter_bytes=409_070_592,
        weights=Weights.RANDOM,
        tokenizer="BertTokenizer",
        max_positions=512,
        source="paper",
    ),
    task="embed",
    input_source=InputSource.TEXT,
    batch=1,
    tokens_in=16,
    real_tokens=16,
    characters=17,
    text_bytes=45,
)


def _uninstrumented(session: PaperSession, runs: int) -> UninstrumentedSamples:
    taken = session.uninstrumented(runs)
    columns = ([run.wall_ns for run in taken], [run.cpu_ns for run in taken], [run.started_ns for run in taken])
    return UninstrumentedSamples(*(np.asarray(column, dtype=np.int64) for column in columns))


def _instrumented(session: PaperSession, graph: Graph, runs: int) -> InstrumentedSamples:
    taken = session.instrumented(graph, runs)
    if not taken:
        return InstrumentedSamples.empty()
    return InstrumentedSamples(
        np.stack([run.boundaries_ns for run in taken]),
        np.asarray([run.cpu_ns for run in taken], dtype=np.int64),
        np.asarray([run.started_ns for run in taken], dtype=np.int64),
    )


def paper_cycle(
    graph: Graph,
    slot_ns: IntArray | None = None,
    *,
    workload: Workload = PAPER_BERT_WORKLOAD,
    runs: int = 18,
    pace: tuple[float, ...] = PACE,
    instrumented: bool = True,
    partial: bool = False,
    notes: tuple[str, ...] = (),
    load: Load = Load(other_busy=0.02),  # noqa: B008  frozen
) -> Cycle:
    """A measured cycle of `graph`: `runs` plain and `runs` instrumented runs on a fake clock."""
    script = Script(graph, slot_times(graph) if slot_ns is None else slot_ns, pace, inside_ns=400, outside_ns=800)
    session = PaperSession(script, workload=workload, plan=Plan(engine="paper", threads=2))
    samples = Samples(
        uninstrumented=_uninstrumented(session, runs),
        instrumented=_instrumented(session, graph, runs if instrumented else 0),
        instrumentation=session.calibrate(graph, 0) if instrumented else None,
        set_up=SetUp(1_830_000_000, 412_000_000, 655_000_000, 61_000_000, 240_000_000, 12, True),
        load=load,
        budget_ns=10_000_000_000,
    )
    machine = replace(PAPER_MACHINE, processor="Paper Processor 2-core", python="3.11.9", packages=(("torch", "2.13"),))
    return Cycle(
        Source.MEASURED,
        workload,
        session.plan,
        machine,
        graph,
        samples,
        "2026-01-02T03:04:05Z",
        "0.1.0",
        partial,
        notes,
    )
