"""What timestamps cost, measured on a calibration proxy: the same model class, the same calls, almost no work in each.

On the proxy the timestamps are a large part of the time, so their cost is seen sharply; the model itself would hide it in its
noise. Uninstrumented and instrumented runs alternate in blocks. Whatever disturbs a run only makes it longer, so each block counts by
its quickest runs, and the difference of instrumented and uninstrumented, the median over the pairs of blocks, is divided by the number
of stamps. A loop of instrumented calls, in which every cache stays warm, gives the least that it can be.

Behind a large matrix product the interpreter finds its caches emptied, and a stamp costs up to twice as much there. So each
layer of the proxy reads as much memory as the weights of the layer that it stands for, up to what empties a core's caches.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cyclescope.backends.errors import Misaligned
from cyclescope.backends.torch.keeping.repeats import Repeats
from cyclescope.backends.torch.stamping.recorder import WRAPPERS, Alignment, Recorder, StampingMode
from cyclescope.backends.torch.stamping.stamps import COMPILED, instrumented, new_records, rows_of
from cyclescope.backends.torch.tracing.tracing import Traced, Tracer
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import FloatArray, Nanoseconds

if TYPE_CHECKING:
    from cyclescope.backends.torch.steps import Steps

# Fields of a configuration that are widths, and fields that only sound like it.
_WIDTH = re.compile(r"hidden|inter|ffn|d_model|d_ff|d_kv|dim|embe?d|n_inner|inner|width|bottleneck|head_size")
_NO_WIDTH = re.compile(r"num_|n_layer|layers|position|max_|prob|drop|eps|type|act|factor|scale|window|range|bias")
_HEAD = 8
_VOCABULARY = 512
_LEAST_PAIRS, _MOST_PAIRS = 3, 40
_MOST_OVERDRAWN = 2
_BLOCK, _LEAST_BLOCK = 12, 4
_LEAST_FOR_BLOCKS_NS = 2_000_000_000  # what whole blocks may take, however small the budget
# What a core has to itself is one or two megabytes on today's servers; more would only take longer to read.
_EMPTIES_CACHES = 1_500_000
_LEAST_READ = 64_000
_WARM_UP = 3


def tiny_config(config: Any) -> Any:
    """A copy of a transformers configuration with the same layers and heads, and eight features a head."""
    tiny = copy.deepcopy(config)
    _shrink(tiny)
    return tiny


def _shrink(config: Any) -> None:
    heads = getattr(config, "num_attention_heads", None)
    hidden = getattr(config, "hidden_size", None)
    if not (isinstance(heads, int) and isinstance(hidden, int) and heads > 0):
        heads, hidden = 1, hidden if isinstance(hidden, int) and hidden > 0 else 64
    # A multiple of 64 keeps group norms and state sizes whole wherever they were whole before.
    target = max(heads * _HEAD, 64)
    target += -target % heads
    for name, value in list(vars(config).items()):
        if hasattr(value, "to_dict") and name != "_commit_hash":
            _shrink(value)
        elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
            if name == "vocab_size":
                config.vocab_size = min(value, _VOCABULARY)
            elif name in ("head_dim", "d_kv", "d_head", "kv_channels"):
                setattr(config, name, min(value, target // heads))
            elif _WIDTH.search(name) and not _NO_WIDTH.search(name) and value > target:
                setattr(config, name, max(_HEAD, value * target // hidden))
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"):
        value = getattr(config, name, None)
        if isinstance(value, int) and value >= _VOCABULARY:
            setattr(config, name, value % _VOCABULARY)


def calibrate_on_proxy(steps: Steps, recorder: Recorder, traced: Traced, budget_ns: Nanoseconds) -> Instrumentation:
    """The cost of a stamp pair for this recorder. Falls back to a loop of tiny calls where no proxy can be made, or may be:
    with a budget of 0.
    """
    inside_share = _inside_share()
    least = max(0.0, _on_loop(recorder.how))
    total, pairs, name = least, 0, "a loop of tiny calls"
    try:
        if budget_ns > 0:
            total, pairs = _on_proxy(steps, recorder.how, traced, budget_ns)
            name = f"a proxy of {type(steps.model).__name__} with tiny layers"
    except Exception:
        # Any class may refuse the shrunken configuration in its own way; what is lost is only accuracy, and it is said.
        pass
    total = max(total, least)
    return Instrumentation(_kind(recorder.how), total * inside_share, total * (1 - inside_share), name, pairs)


def _kind(how: str) -> str:
    return f"compiled {how}" if COMPILED and how == WRAPPERS else how


def _on_proxy(steps: Steps, how: str, traced: Traced, budget_ns: Nanoseconds) -> tuple[float, int]:
    """Nanoseconds a stamp pair, and the number of interleaved pairs of runs behind it. Raises where there is no proxy."""
    model = steps.model
    config = tiny_config(model.config)
    config._attn_implementation = getattr(model.config, "_attn_implementation", None)
    with torch.random.fork_rng():
        proxy = type(model)(config).eval().to(next(model.parameters()).dtype)
    # Copies: the proxy must not write into a cache of the model, and each of its runs begins as the first.
    inputs = {name: _small(value) for name, value in steps.inputs().items()}
    repeats = Repeats(proxy, inputs)
    fixed = {name: _small(value) for name, value in steps.fixed.items()}
    tracer = Tracer(proxy, None)
    with repeats.tracing():
        proxy(**inputs, **fixed)
        repeats.end()
        repeats.begin()
        begun = perf_counter_ns()
        proxy(**inputs, **fixed)
        run_ns = perf_counter_ns() - begun
        if 2 * (_WARM_UP + _LEAST_BLOCK) * run_ns > _MOST_OVERDRAWN * max(budget_ns, _LEAST_FOR_BLOCKS_NS):
            raise Misaligned("one pair of blocks of the twin takes too long")
        block = _block(run_ns, budget_ns)
        repeats.begin()
        tracer.given({k: v for k, v in (inputs | fixed).items() if isinstance(v, torch.Tensor)})
        tracer.run(lambda: proxy(**inputs, **fixed))
        repeats.end()
    proxy_traced = tracer.finish("cpu")
    wanted = [name for name, kind in zip(traced.graph.names, traced.graph.kinds, strict=True) if kind.value != "text"]
    # Of a generation the proxy makes one call, in which the stamps are as they are in every step.
    if steps.writer is None and list(proxy_traced.graph.names) != wanted:
        raise Misaligned("the proxy takes another path")
    recorder = Recorder(how, proxy_traced.keys, proxy)
    alignment = Alignment(proxy_traced.graph, proxy_traced.keys)
    _read_as_much_as(model, proxy)
    differences: list[float] = []
    records = new_records()

    def quickest() -> int:
        """The lower quartile of a block; the first runs only let the interpreter grow warm again."""
        walls = []
        for _ in range(_WARM_UP + block):
            repeats.begin()
            records.clear()
            begin = perf_counter_ns()
            proxy(**inputs, **fixed)
            walls.append(perf_counter_ns() - begin)
        return sorted(walls[_WARM_UP:])[block // 4]

    begun = perf_counter_ns()
    with _one_thread(), torch.inference_mode():
        while len(differences) < _MOST_PAIRS:
            spent = perf_counter_ns() - begun
            # A budget too small for a few pairs is overdrawn, but not many times over: the machine may be busy.
            if spent > (budget_ns if len(differences) >= _LEAST_PAIRS else _MOST_OVERDRAWN * budget_ns) and differences:
                break
            uninstrumented = quickest()
            with recorder.stamping(records):
                instrumented = quickest()
                repeats.begin()
                records.clear()
                begin = perf_counter_ns()
                proxy(**inputs, **fixed)
                alignment.boundaries(rows_of(records), begin, perf_counter_ns())  # raises unless all stamps were there
            differences.append((instrumented - uninstrumented) / len(records))
    return median(differences), len(differences) * block


def _block(run_ns: Nanoseconds, budget_ns: Nanoseconds) -> int:
    """Runs of a block, such that the least pairs fit into the budget; fewer than four have no quickest worth the name."""
    fitting = max(budget_ns, _LEAST_FOR_BLOCKS_NS) // max(1, 2 * _LEAST_PAIRS * run_ns) - _WARM_UP
    return max(_LEAST_BLOCK, min(_BLOCK, fitting))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that wait for each other over almost no work would only add noise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _read_as_much_as(model: torch.nn.Module, proxy: torch.nn.Module) -> None:
    """Let each leaf of `proxy` read as much memory as the weights of the same leaf of `model`."""
    memory = np.ones(_EMPTIES_CACHES // 8)
    for path, module in proxy.named_modules():
        if next(module.children(), None) is not None:
            continue
        weights = sum(p.nbytes for p in model.get_submodule(path).parameters(recurse=False))
        if weights >= _LEAST_READ:
            module.forward = _reading(module.forward, memory[: min(weights, _EMPTIES_CACHES) // 8])


def _reading(forward: Callable[..., Any], memory: FloatArray) -> Callable[..., Any]:
    def read_and_call(*args: Any, **kwargs: Any) -> Any:
        memory.sum()
        return forward(*args, **kwargs)

    return read_and_call


def _small(value: Any) -> Any:
    """`value` as the proxy takes it: on the processor, where stamps cost what they cost for any device."""
    if not isinstance(value, torch.Tensor):
        return copy.deepcopy(value)
    here = value.detach().to("cpu", copy=True)
    return here.remainder(_VOCABULARY) if here.dtype in (torch.int64, torch.int32) and here.numel() else here


def _on_loop(how: str) -> float:
    """Cost of one stamp pair around a call that does nothing much. Caches stay warm here, so this is a lower bound."""
    x = torch.ones(1)
    records = new_records()

    def loop(call: Any) -> float:
        best = []
        for _ in range(30):
            records.clear()
            begin = perf_counter_ns()
            for _ in range(100):
                call(x)
            best.append((perf_counter_ns() - begin) / 100)
        return min(best)

    bare = loop(torch.neg)
    if how == WRAPPERS:
        return loop(instrumented(torch.neg, 0, records)) - bare
    with StampingMode((torch.neg,), records):
        return loop(torch.neg) - bare


def _inside_share() -> float:
    """Share of a stamp pair's cost that falls between its two stamps, from a wrapper around a function that does nothing."""
    records = new_records()

    def nothing(_: object) -> None:
        return None

    wrapper = instrumented(nothing, 0, records)
    inside, around = [], []
    for _ in range(30):
        records.clear()
        begin = perf_counter_ns()
        for _ in range(100):
            wrapper(None)
        around.append((perf_counter_ns() - begin) / 100)
        inside.append(float(np.median(np.diff(rows_of(records)[:, 1:], axis=1))))
        begin = perf_counter_ns()
        for _ in range(100):
            nothing(None)
        bare = (perf_counter_ns() - begin) / 100
    return min(1.0, max(0.0, (min(inside) - bare) / max(min(around) - bare, 1.0)))
