"""Time and memory to explain a large cycle, and how they grow.

    python bench/explain.py [--operations N …] [--rounds N] [--shape generation|encoder …] [--hta FOLDER]

A generation on paper (24 layers with a growing cache, as many steps as it takes) or an encoder on paper (as many layers
as it takes), with a handful of instrumented runs, on a machine with known ceilings: so every part of an explanation is there.
Each size is built and saved, loaded, explained, and reported, in a process each. Printed: seconds by part of `explain`, its total, peak of the resident memory, operations a second and bytes an operation beyond
the cycle itself, and for every line the exponent of growth between the smallest and the largest size (1 is linear).

With `--hta` the peer is run on the traces in that folder (a `torch.profiler` trace for each rank): Holistic Trace Analysis
(https://github.com/facebookresearch/HolisticTraceAnalysis) parses GPU traces, which is the nearest to what this does.
"""

from __future__ import annotations

import argparse
import importlib
import math
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "paper"))

SHAPES = ("generation", "encoder")
SIZES = (10_000, 100_000, 1_000_000)
RUNS = 6
LAYERS, HIDDEN, PROMPT, VOCABULARY = 24, 1024, 32, 32_000


@dataclass
class Taken:
    """Seconds by part, in order, and bytes of resident memory: before, after and at the peak of the task."""

    seconds: dict[str, float] = field(default_factory=dict)
    before: int = 0
    peak: int = 0
    operations: int = 0
    bytes_on_disk: int = 0


def generation(operations: int) -> Any:
    """A decoder that writes with a cache, of about so many operations."""
    from cyclescope.core.graph.builder import GraphBuilder
    from cyclescope.core.graph.op import Cost, OpKind
    from cyclescope.core.graph.tensor import TensorRole

    b = GraphBuilder()
    weights: dict[str, tuple[int, int]] = {}
    cache: dict[str, int] = {}

    def linear(x: int, module: str, width: int) -> int:
        *rows, inner = b.spec(x).shape
        count = math.prod(rows)
        if module not in weights:
            w = b.tensor((width, inner), role=TensorRole.PARAMETER, name=f"{module}.weight")
            weights[module] = (w, b.tensor((width,), role=TensorRole.PARAMETER, name=f"{module}.bias"))
        y = b.tensor((*rows, width))
        moved = 4 * (count * inner + inner * width + width)
        with b.frame(module, "Linear"):
            cost = Cost(2 * count * inner * width, count * width, moved, 4 * count * width)
            b.op("linear", OpKind.MATMUL, [x, *weights[module]], [y], cost)
        return y

    def pointwise(name: str, kind: OpKind, *inputs: int) -> int:
        spec = b.spec(inputs[0])
        y = b.tensor(spec.shape)
        b.op(name, kind, inputs, [y], Cost(0, spec.elements, spec.bytes * len(inputs), spec.bytes))
        return y

    def split(x: int) -> int:
        spec = b.spec(x)
        y = b.tensor((1, HIDDEN // 64, spec.shape[1], 64), storage=spec.storage)
        b.op("transpose", OpKind.VIEW, [x], [y])
        return y

    def keep(key: str, new: int, seen: int) -> int:
        tokens = seen + b.spec(new).shape[2]
        longer = b.tensor((1, HIDDEN // 64, tokens, 64))
        size = b.spec(longer).bytes
        b.op("cat", OpKind.COPY, [cache[key], new] if key in cache else [new], [longer], Cost(0, 0, size, size))
        cache[key] = longer
        return longer

    def layer(x: int, path: str, seen: int) -> int:
        with b.frame(path, "DecoderLayer"):
            with b.frame(f"{path}.input_layernorm", "LayerNorm"):
                y = pointwise("layer_norm", OpKind.NORM, x)
            with b.frame(f"{path}.self_attn", "Attention"):
                q, k, v = (split(linear(y, f"{path}.self_attn.{part}_proj", HIDDEN)) for part in "qkv")
                k, v = keep(f"{path}.k", k, seen), keep(f"{path}.v", v, seen)
                context = b.tensor(b.spec(q).shape)
                read = sum(b.spec(t).bytes for t in (q, k, v))
                tokens, total = b.spec(q).shape[2], b.spec(k).shape[2]
                flops, scores = 4 * tokens * total * HIDDEN, tokens * total * HIDDEN // 64
                cost = Cost(flops, 5 * scores, read, b.spec(context).bytes)
                b.op("scaled_dot_product_attention", OpKind.ATTENTION, [q, k, v], [context], cost)
                merged = b.tensor(b.spec(x).shape)
                size = b.spec(merged).bytes
                b.op("reshape", OpKind.COPY, [context], [merged], Cost(0, 0, size, size))
                y = linear(merged, f"{path}.self_attn.o_proj", HIDDEN)
            x = pointwise("add", OpKind.ELEMENTWISE, x, y)
            with b.frame(f"{path}.post_attention_layernorm", "LayerNorm"):
                y = pointwise("layer_norm", OpKind.NORM, x)
            with b.frame(f"{path}.mlp", "MLP"):
                y = pointwise("gelu", OpKind.ACTIVATION, linear(y, f"{path}.mlp.up_proj", 4 * HIDDEN))
                y = linear(y, f"{path}.mlp.down_proj", HIDDEN)
            return pointwise("add", OpKind.ELEMENTWISE, x, y)

    table = b.tensor((VOCABULARY, HIDDEN), role=TensorRole.PARAMETER, name="model.embed_tokens.weight")
    with b.frame("", "Tokenizer", stage="tokenize"):
        text = b.tensor((120,), "text", TensorRole.INPUT)
        ids = b.tensor((1, PROMPT), "int64")
        b.op("tokenize", OpKind.TEXT, [text], [ids], Cost(0, 0, 120, 8 * PROMPT))
    written, seen, tokens = ids, 0, PROMPT
    while b.operations < operations - 1:
        with b.frame("", "ModelForCausalLM"):
            with b.frame("model.embed_tokens", "Embedding"):
                x = b.tensor((1, tokens, HIDDEN))
                size = 4 * tokens * HIDDEN
                b.op("embedding", OpKind.EMBEDDING, [table, written], [x], Cost(0, 0, size, size))
            mask = b.tensor((1, 1, tokens, seen + tokens), "bool")
            b.op("ones", OpKind.ELEMENTWISE, [written], [mask], Cost(0, 0, 8, seen + tokens))
            for number in range(LAYERS):
                x = layer(x, f"model.layers.{number}", seen)
            with b.frame("model.norm", "LayerNorm"):
                x = pointwise("layer_norm", OpKind.NORM, x)
            logits = linear(x, "lm_head", VOCABULARY)
        token = b.tensor((1, 1), "int64")
        b.op("argmax", OpKind.REDUCTION, [logits], [token], Cost(0, VOCABULARY, 4 * VOCABULARY, 8))
        written, seen, tokens = token, seen + tokens, 1
    with b.frame("", "Tokenizer", stage="read out"):
        b.op("decode", OpKind.TEXT, [written], [b.tensor((40,), "text")], Cost(0, 0, 8, 40))
    return b.build(traced_on="paper", generates=True, stepwise=True)


def cycle_of(shape: str, operations: int) -> Any:
    """A measured cycle of `shape` with known ceilings, and its tokens where it writes any."""
    import numpy as np
    from paper_models import PACE, PAPER_BERT_WORKLOAD, paper_bert, paper_cycle
    from paper_roofline import on_paper_machine, paper_ceilings

    from cyclescope.core.graph.op import OpKind
    from cyclescope.core.samples import TokenSamples

    ceilings = paper_ceilings(faster=5.0)
    if shape == "encoder":
        graph = paper_bert(max(1, (operations - 7) // 16), hidden=128, vocabulary=1000)
        return on_paper_machine(paper_cycle(graph, slot_times(graph), runs=RUNS), ceilings)
    graph = generation(operations)
    times = slot_times(graph)
    op = graph.slots.op
    chosen = [s for s in np.flatnonzero(op >= 0).tolist() if graph.kinds[op[s]] is OpKind.REDUCTION]
    called = int(np.flatnonzero(op >= 0)[1]) - 1
    ends = [np.cumsum(np.rint(times * PACE[run]).astype(np.int64)) for run in range(RUNS)]
    tokens = TokenSamples(np.asarray([e[chosen] for e in ends]), np.asarray([e[called] for e in ends]))
    workload = replace(
        PAPER_BERT_WORKLOAD, task="generate", tokens_in=PROMPT, real_tokens=PROMPT, tokens_out=len(chosen)
    )
    cycle = paper_cycle(graph, times, workload=workload, runs=RUNS)
    return on_paper_machine(replace(cycle, samples=replace(cycle.samples, tokens=tokens)), ceilings)


def slot_times(graph: Any) -> Any:
    """True time of every slot [slots]: an operation by its work and a little of its own, Python a constant."""
    import numpy as np

    work = (graph.flops + graph.elementwise_flops) / 50.0
    moved = (graph.read_bytes + graph.written_bytes) / 10.0
    own = np.random.default_rng(3).uniform(0.9, 1.2, len(graph))
    took = (3_000 + np.maximum(work, moved)) * own
    op = graph.slots.op
    return np.rint(np.where(op >= 0, took[op], 6_000)).astype(np.int64)


def resident(what: str) -> int:
    """`VmRSS` or `VmHWM` of this process in bytes; where the system does not tell, the peak since it began."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def begin_peak() -> None:
    """Let the peak begin here (Linux: `proc(5)`, clear_refs)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def timed(taken: Taken, name: str, act: Callable[[], Any]) -> Any:
    begin = perf_counter()
    result = act()
    taken.seconds[name] = taken.seconds.get(name, 0.0) + perf_counter() - begin
    return result


def build(shape: str, operations: int, path: str) -> Taken:
    """Build the cycle and save it."""
    from cyclescope.store.run_file import save

    taken = Taken()
    cycle = timed(taken, "build", lambda: cycle_of(shape, operations))
    taken.before = resident("VmRSS")
    begin_peak()
    timed(taken, "save", lambda: save(cycle, path))
    taken.peak, taken.operations, taken.bytes_on_disk = resident("VmHWM"), len(cycle.graph), Path(path).stat().st_size
    return taken


def read(path: str) -> Taken:
    """Load the cycle, with all checks."""
    from cyclescope.store.run_file import load

    taken = Taken(before=resident("VmRSS"))
    cycle = timed(taken, "load", lambda: load(path))
    taken.peak, taken.operations = resident("VmHWM"), len(cycle.graph)
    return taken


# The parts of `explain`, by the names under which it calls them.
PARTS = {
    "attribute": "attribution",
    "close": "closure",
    "stage_rows": "stages",
    "layer_rows": "layers",
    "operation_rows": "operations",
    "group_rows": "kinds, places",
    "places": "names of places",
    "roofline": "roofline",
    "arrange": "arrangement",
    "find": "findings",
    "memory": "memory",
    "generation": "generation",
    "exemplar_spans": "spans",
}


def explained(path: str) -> Taken:
    """Load the cycle as it comes from measuring and explain it, every part by itself."""
    from cyclescope.store.run_file import load

    cycle = load(path)
    # What `load` had to work out to check the file is not there in a cycle that has just been measured.
    cycle = replace(cycle, graph=replace(cycle.graph))
    module = importlib.import_module("cyclescope.explaining.explain")
    taken = Taken(operations=len(cycle.graph))

    def watched(name: str, part: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: timed(taken, name, lambda: part(*given, **named))

    for function, name in PARTS.items():
        setattr(module, function, watched(name, getattr(module, function)))
    taken.before = resident("VmRSS")
    begin_peak()
    begin = perf_counter()
    timed(taken, "slots", lambda: cycle.graph.slots)
    timed(taken, "dependencies", lambda: cycle.graph.dependencies)
    module.explain(cycle)
    taken.seconds["explain"] = perf_counter() - begin
    taken.peak = resident("VmHWM")
    return taken


def told(path: str) -> Taken:
    """The JSON document and the HTML page of an explained cycle."""
    from cyclescope.explaining.explain import explain
    from cyclescope.report.documents.cycle.document import cycle_document
    from cyclescope.report.media.html.html import render
    from cyclescope.store.run_file import load

    explanation = explain(load(path))
    taken = Taken(before=resident("VmRSS"), operations=len(explanation.cycle.graph))
    begin_peak()
    text = timed(taken, "JSON", lambda: cycle_document(explanation).model_dump_json())
    page = timed(taken, "HTML", lambda: render(explanation))
    taken.peak, taken.bytes_on_disk = resident("VmHWM"), len(text) + len(page)
    return taken


def _report(queue: Any, task: Callable[..., Taken], arguments: tuple[Any, ...]) -> None:
    queue.put(task(*arguments))


def in_a_child(task: Callable[..., Taken], *arguments: Any) -> Taken:
    """What `task` took, in a separate process."""
    context = multiprocessing.get_context("spawn")
    queue = context.SimpleQueue()
    child = context.Process(target=_report, args=(queue, task, arguments))
    child.start()
    while child.is_alive() and queue.empty():
        child.join(0.05)
    if queue.empty():
        raise SystemExit(f"{task.__name__} of {arguments} ended with {child.exitcode}")
    taken: Taken = queue.get()
    child.join()
    return taken


def quickest(rounds: int, task: Callable[..., Taken], *arguments: Any) -> Taken:
    """The least seconds of each part over the rounds, which something else disturbed the least."""
    tries = [in_a_child(task, *arguments) for _ in range(rounds)]
    best = tries[0]
    best.seconds = {name: min(t.seconds[name] for t in tries) for name in best.seconds}
    return best


def exponent(sizes: list[int], values: list[float]) -> str:
    """Slope of the log-log line from the smallest to the largest size."""
    if len(sizes) < 2 or min(values[0], values[-1]) <= 0:
        return "    –"
    return f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):5.2f}"


def table(shape: str, taken: list[tuple[Taken, Taken, Taken, Taken | None]]) -> None:
    sizes = [parts[2].operations for parts in taken]
    print(f"\n{shape:24}" + "".join(f"{n:>13,}" for n in sizes) + "   exponent")

    def line(name: str, values: list[float], form: str) -> None:
        print(f"{name:24}" + "".join(f"{format(v, form):>13}" for v in values) + f"      {exponent(sizes, values)}")

    for name in taken[0][2].seconds:
        line(f"{'' if name == 'explain' else '  '}{name}, s", [t[2].seconds[name] for t in taken], ".3f")
    line("explain, operations/s", [t[2].operations / t[2].seconds["explain"] for t in taken], ",.0f")
    line("  peak, MB", [t[2].peak / 1e6 for t in taken], ",.0f")
    line("  beyond the cycle, B/op", [(t[2].peak - t[2].before) / t[2].operations for t in taken], ",.0f")
    line("save, s", [t[0].seconds["save"] for t in taken], ".3f")
    line("  bytes an operation", [t[0].bytes_on_disk / t[0].operations for t in taken], ",.0f")
    line("load, s", [t[1].seconds["load"] for t in taken], ".3f")
    line("  peak, MB", [t[1].peak / 1e6 for t in taken], ",.0f")
    reports = [t[3] for t in taken if t[3] is not None]
    for report in reports:
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in report.seconds.items())
        print(f"report of {report.operations:,}: {parts}, {report.bytes_on_disk / 1e6:.1f} MB in both")


def peer(folder: str) -> None:
    """Holistic Trace Analysis on the traces in `folder`: events a second and bytes an event."""
    from hta.trace_analysis import TraceAnalysis

    before, begin = resident("VmRSS"), perf_counter()
    analysis = TraceAnalysis(trace_dir=folder)
    loaded = perf_counter()
    analysis.get_temporal_breakdown(visualize=False)
    analysis.get_gpu_kernel_breakdown(visualize=False)
    ended = perf_counter()
    events = sum(len(analysis.t.get_trace(rank)) for rank in analysis.t.get_all_traces())
    peak = resident("VmHWM")
    print(f"\nHolistic Trace Analysis: {events:,} events, {events / (loaded - begin):,.0f} events/s to parse,", end=" ")
    print(f"{events / (ended - begin):,.0f} with two breakdowns, {(peak - before) / events:,.0f} B an event")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--operations", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=3, help="of sizes up to 100,000; larger ones are taken once")
    parser.add_argument("--shape", nargs="+", default=SHAPES, choices=SHAPES)
    parser.add_argument("--report-up-to", type=int, default=20_000, help="largest size to report as JSON and HTML")
    parser.add_argument("--hta", metavar="FOLDER")
    chosen = parser.parse_args()
    for shape in chosen.shape:
        taken = []
        for operations in chosen.operations:
            with tempfile.TemporaryDirectory() as folder:
                path = str(Path(folder) / "run.cycle")
                rounds = chosen.rounds if operations <= 100_000 else 1
                built = in_a_child(build, shape, operations, path)
                print(f"{shape}, {built.operations:,} operations: built in {built.seconds['build']:.1f} s", flush=True)
                report = quickest(rounds, told, path) if operations <= chosen.report_up_to else None
                taken.append((built, quickest(rounds, read, path), quickest(rounds, explained, path), report))
        table(shape, taken)
    if chosen.hta:
        peer(chosen.hta)


if __name__ == "__main__":
    main()
