"""A decoder on paper that writes text with a cache, and cycles of it whose times are known to the nanosecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from paper_models import PACE, PAPER_BERT_WORKLOAD, paper_cycle

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import TokenSamples
from cyclescope.core.units import IntArray

PROMPT, BATCH, LAYERS, HIDDEN = 6, 2, 3, 8
# Planted times: an operation, a gap in Python, and what attention takes more for each position before it.
OP_NS, PYTHON_NS, SLOPE_NS = 4_000, 400, 120


class PaperDecoder:
    """Builds the graph of a generation call by call: tokenize, prepare, forward and choose for each token, read out."""

    def __init__(self, steps: int, *, static: bool = False, encoder: bool = False) -> None:
        self.b = GraphBuilder()
        self.steps, self.static, self.encoder = steps, static, encoder
        # Keys and values of each layer: what the last step left, by its tensor.
        self.cache: dict[tuple[int, str], int] = {}

    def tensor(self, tokens: int) -> int:
        return self.b.tensor((BATCH, tokens, HIDDEN))

    def op(self, name: str, kind: OpKind, inputs: list[int], output: int, *, in_place: bool = False) -> int:
        self.b.op(name, kind, inputs, [output], Cost(100, 0, 10, 10), in_place=in_place)
        return output

    def keep(self, layer: int, part: str, new: int, seen: int, tokens: int) -> int:
        """The new keys or values behind the old: a longer tensor, or a buffer of full length that is written into."""
        old = self.cache.get((layer, part))
        if self.static:
            if old is None:
                old = self.op("zeros", OpKind.COPY, [], self.tensor(PROMPT + self.steps))
            kept = self.b.tensor((BATCH, PROMPT + self.steps, HIDDEN), storage=self.b.spec(old).storage)
            self.op("index_copy_", OpKind.COPY, [old, new], kept, in_place=True)
        else:
            kept = self.op("cat", OpKind.COPY, [new] if old is None else [old, new], self.tensor(seen + tokens))
        self.cache[layer, part] = kept
        return kept

    def layer(self, x: int, number: int, seen: int, tokens: int) -> int:
        path = f"{'decoder' if self.encoder else 'model'}.layers.{number}"
        with self.b.frame(path, "DecoderLayer"):
            q = self.op("linear", OpKind.MATMUL, [x], self.tensor(tokens))
            k = self.keep(number, "k", self.op("linear", OpKind.MATMUL, [x], self.tensor(tokens)), seen, tokens)
            v = self.keep(number, "v", self.op("linear", OpKind.MATMUL, [x], self.tensor(tokens)), seen, tokens)
            y = self.op("scaled_dot_product_attention", OpKind.ATTENTION, [q, k, v], self.tensor(tokens))
            return self.op("linear", OpKind.MATMUL, [y], self.tensor(tokens))

    def forward(self, ids: int, seen: int, tokens: int) -> int:
        b = self.b
        with b.frame("", "PaperForCausalLM"):
            with b.frame("model.embed", "Embedding"):
                table = b.tensor((100, HIDDEN), role=TensorRole.PARAMETER)
                x = self.op("embedding", OpKind.EMBEDDING, [table, ids], self.tensor(tokens))
            for number in range(LAYERS):
                x = self.layer(x, number, seen, tokens)
            with b.frame("lm_head", "Linear"):
                return self.op("linear", OpKind.MATMUL, [x], b.tensor((BATCH, tokens, 100)))

    def graph(self) -> Graph:
        b = self.b
        with b.frame("", "PaperTokenizer", stage="tokenize"):
            text = b.tensor((40,), "text", TensorRole.INPUT)
            ids = self.op("tokenize", OpKind.TEXT, [text], b.tensor((BATCH, PROMPT), "int64"))
        if self.encoder:
            with b.frame("encoder", "Encoder"):
                x = self.op("embedding", OpKind.EMBEDDING, [ids], self.tensor(PROMPT))
                for number in range(LAYERS):
                    with b.frame(f"encoder.block.{number}", "EncoderLayer"):
                        x = self.op("linear", OpKind.MATMUL, [x], self.tensor(PROMPT))
                        x = self.op("gelu", OpKind.ACTIVATION, [x], self.tensor(PROMPT))
        self.op("ones", OpKind.ELEMENTWISE, [ids], b.tensor((BATCH, PROMPT), "int64"))
        seen, tokens = 0, 1 if self.encoder else PROMPT
        written = ids
        for _ in range(self.steps):
            logits = self.forward(written, seen, tokens)
            written = self.op("argmax", OpKind.REDUCTION, [logits], b.tensor((BATCH, 1), "int64"))
            seen, tokens = seen + tokens, 1
        with b.frame("", "PaperTokenizer", stage="read out"):
            self.op("decode", OpKind.TEXT, [written], b.tensor((40,), "text"))
        return b.build(generates=True, stepwise=True)


def paper_decoder(steps: int, *, static: bool = False, encoder: bool = False) -> Graph:
    return PaperDecoder(steps, static=static, encoder=encoder).graph()


def generation_slots(graph: Graph, slope_ns: int = SLOPE_NS) -> IntArray:
    """True time of every slot [slots]: attention grows by `slope_ns` a step, all else stands still."""
    slots = graph.slots
    times = np.full(len(slots), PYTHON_NS, dtype=np.int64)
    for s, op in enumerate(slots.op.tolist()):
        if op >= 0:
            grown = slope_ns * int(slots.step[s]) if graph.kinds[op] is OpKind.ATTENTION else 0
            times[s] = OP_NS + grown
    return times


def paper_generation(
    graph: Graph,
    *,
    slope_ns: int = SLOPE_NS,
    runs: int = 18,
    pace: tuple[float, ...] = PACE,
    instrumented: bool = True,
) -> Cycle:
    """A measured generation: tokens come out when their `argmax` has ended, in the very runs of the uninstrumented runs."""
    times = generation_slots(graph, slope_ns)
    slots = graph.slots
    chosen = [s for s, op in enumerate(slots.op.tolist()) if op >= 0 and graph.names[op] == "argmax"]
    called = next(s for s, op in enumerate(slots.op.tolist()) if op >= 0 and graph.kinds[op] is not OpKind.TEXT) - 1
    of_run = [np.cumsum(np.rint(times * pace[run % len(pace)]).astype(np.int64)) for run in range(runs)]
    tokens = TokenSamples(
        emitted_ns=np.asarray([ends[chosen] for ends in of_run], dtype=np.int64).reshape(runs, len(chosen)),
        called_ns=np.asarray([ends[called] for ends in of_run], dtype=np.int64),
    )
    workload = replace(
        PAPER_BERT_WORKLOAD,
        task="generate",
        batch=BATCH,
        tokens_in=PROMPT,
        real_tokens=BATCH * PROMPT - 1,
        tokens_out=len(chosen),
    )
    cycle = paper_cycle(graph, times, workload=workload, runs=runs, pace=pace, instrumented=instrumented)
    return replace(cycle, samples=replace(cycle.samples, tokens=tokens))
