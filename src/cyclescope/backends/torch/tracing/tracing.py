"""The structure of a cycle, traced: run the real model class once and write down what it asks of the engine.

Three observers stand around one run that is never timed. Module hooks give the tree of frames. A function mode gives the
operations: the calls that Python makes into the engine. A dispatch mode gives what each of them consists of: ATen calls
with shapes, dtypes and memory, from which cost and true dependencies follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from cyclescope.backends.torch.stamping.recorder import InstrumentedCalls, own_forward
from cyclescope.backends.torch.stamping.unseen import unseen_mode
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.experts import expert_load
from cyclescope.backends.torch.tracing.known_results import KnownResults
from cyclescope.backends.torch.tracing.layouts import (
    footprint,
    held,
    leaves,
    lengths_of,
    nonzeros_of,
    shape_of,
    stored_bytes,
)
from cyclescope.backends.torch.tracing.memory import Lifetimes
from cyclescope.backends.torch.tracing.on_meta import SDPA, attention_like, on_meta
from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.structure import READ_OUT, TOKENIZE, WHOLE
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.message import Text, m, plural
from cyclescope.cost.call import EngineCall, OpCost
from cyclescope.cost.registry import estimate_cost, kind_of_group

_LIFTS = (torch.ops.aten.lift_fresh.default, torch.ops.aten.lift_fresh_copy.default, torch.ops.aten.lift.default)
# They make a tensor out of Python values, which would be lost if it were made on the meta device.
_LITERALS = (torch.tensor, torch.as_tensor, torch.scalar_tensor, torch.from_numpy)


@dataclass(frozen=True, eq=False)
class Traced:
    """A graph and, beside it, the very functions and modules behind its operations and frames.

    `lifetimes` says what was held during the run, where the model ran for real.
    """

    graph: Graph
    keys: InstrumentedCalls
    lifetimes: Lifetimes | None = None


@dataclass
class _Part:
    """One ATen call inside an operation."""

    priced: OpCost
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    is_view: bool


@dataclass
class _Pending:
    """An operation that has begun."""

    parts: list[_Part] = field(default_factory=list)
    mutated: list[int] = field(default_factory=list)


class _Memory:
    """Numbers tensors and the memory behind them. Memory stays numbered after it is freed, so no address is reused."""

    def __init__(self, builder: GraphBuilder, lifetimes: Lifetimes | None) -> None:
        self._builder = builder
        self._lifetimes = lifetimes
        self._number = WeakTensorKeyDictionary()
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def alive(self) -> set[int]:
        """The memory, by number, that is still there."""
        return {number for reference, number in self._storages.values() if not reference.expired()}

    def storage(self, tensor: torch.Tensor) -> int:
        try:
            reference = StorageWeakRef(held(tensor)[0].untyped_storage())
        except (NotImplementedError, RuntimeError):  # sparse and other tensors without one memory
            return self._builder.storage()
        found = self._storages.get(reference.cdata)
        if found is None:
            found = (reference, self._builder.storage())
            self._storages[reference.cdata] = found
        return found[1]

    def number(self, tensor: torch.Tensor, role: TensorRole = TensorRole.BUFFER, name: str = "") -> int:
        """Number of `tensor`; one that was never seen stood there before the cycle, so it is a buffer."""
        known: int | None = self._number.get(tensor)
        if known is None:
            known = self._builder.tensor(
                shape_of(tensor),
                dtype_name(tensor.dtype),
                role,
                storage=self.storage(tensor),
                name=name,
                stored_bytes=stored_bytes(tensor),
            )
            self._number[tensor] = known
            if self._lifetimes is not None:
                self._lifetimes.met(tensor, self._builder.spec(known).storage, role)
        return known


def dtype_name(dtype: torch.dtype) -> str:
    """`float32` for `torch.float32`."""
    return str(dtype).removeprefix("torch.")


class Tracer:
    """Writes down one run of a model. Use `text_op` and `run` inside the same tracer, then `finish`.

    While `recording` is False the run goes on under the observers, so that known values are carried along, and nothing is
    written down.
    """

    def __init__(self, model: torch.nn.Module, concrete_values: ConcreteValues | None, device: str = "cpu") -> None:
        self.builder = GraphBuilder()
        # On the meta device nothing is held that a look could tell.
        self.lifetimes = Lifetimes() if concrete_values is None else None
        self.memory = _Memory(self.builder, self.lifetimes)
        self.concrete_values = concrete_values
        self.device = device
        self.recording = True
        self._model = model
        self._function_of: dict[int, Callable[..., Any]] = {}
        self._pending: list[_Pending] = []
        self._orphans: list[str] = []  # ATen calls outside of any operation, views left out
        self._unknown: dict[str, None] = {}  # calls whose arithmetic nobody has described
        self._experts: list[ExpertLoad] = []

    # Text ------------------------------------------------------------------------------------------------------------

    def text_op(self, stage: str, class_name: str, name: str, reads: Sequence[int], writes: Sequence[int]) -> None:
        """A stage of text: the tokenizer, or the way back."""
        size = [self.builder.spec(t).bytes for t in (*reads, *writes)]
        cost = Cost(read_bytes=sum(size[: len(reads)]), written_bytes=sum(size[len(reads) :]))
        with self.builder.frame("", class_name, stage=stage):
            self.builder.op(name, OpKind.TEXT, reads, writes, cost)

    def tokenize(self, class_name: str, text_bytes: int, inputs: dict[str, torch.Tensor]) -> None:
        """The tokenizer, from `text_bytes` of text to the tensors that the model is given."""
        text = self.builder.tensor((text_bytes,), "text", TensorRole.INPUT, name="text")
        made = [self.memory.number(t, TensorRole.ACTIVATION, name) for name, t in inputs.items()]
        self.text_op(TOKENIZE, class_name, "tokenize", [text], made)

    def given(self, inputs: Mapping[str, torch.Tensor], role: TensorRole = TensorRole.INPUT) -> None:
        """Tensors that are handed to the model as they are, without a tokenizer."""
        for name, tensor in inputs.items():
            self.memory.number(tensor, role, name)

    def read_out(self, class_name: str, result: Any) -> None:
        """The way back to something that a person reads."""
        reads = [self.memory.number(t) for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        made = self.builder.tensor((0,), "text", name="outcome")
        self.text_op(READ_OUT, class_name, "read out", list(dict.fromkeys(reads)), [made])

    # The model -------------------------------------------------------------------------------------------------------

    def run(self, call: Callable[[], Any]) -> Any:
        """Run `call`, which calls the model, under the observers."""
        self._number_weights()
        # What a model makes without naming a device lies where the model lies, which is the meta device here.
        here = torch.device("meta") if self.concrete_values is not None and self.device == "cpu" else nullcontext()
        with self._framed(), unseen_mode(), here, _Operations(self), _Parts(self):
            return call()

    def run_whole(self, class_name: str, call: Callable[[], Any]) -> Any:
        """Run `call`, which calls the model, and write it down as one operation."""
        self._number_weights()
        with self.builder.frame("", class_name, stage=WHOLE):
            self.begin_operation()
            with _Parts(self):
                result = call()
            self._end_whole(class_name, call, result)
        return result

    def _end_whole(self, name: str, call: Callable[[], Any], result: Any) -> None:
        parts = self._pending.pop().parts
        standing = {t for part in parts for t in part.reads if self.builder.spec(t).role is not TensorRole.ACTIVATION}
        writes = [
            self.memory.number(t, TensorRole.ACTIVATION) for t in tree_leaves(result) if isinstance(t, torch.Tensor)
        ]
        writes = [t for t in dict.fromkeys(writes) if t not in standing]
        work = sum((part.priced.cost for part in parts), Cost())
        # A table of embeddings is not read as a whole, and weights are read anew in every step of a generation.
        read = sum(
            min(part.priced.cost.read_bytes, sum(self.builder.spec(t).bytes for t in part.reads if t in standing))
            for part in parts
        )
        written = sum(self.builder.spec(t).bytes for t in writes)
        cost = Cost(work.flops, work.elementwise_flops, read, written)
        known = all(part.priced.known for part in parts)
        self._function_of[self.builder.op(name, OpKind.OTHER, sorted(standing), writes, cost, priced=known)] = call

    def _number_weights(self) -> None:
        for name, parameter in self._model.named_parameters():
            self.memory.number(parameter, TensorRole.PARAMETER, name)
        for name, buffer in self._model.named_buffers():
            self.memory.number(buffer, TensorRole.BUFFER, name)

    @contextmanager
    def _framed(self) -> Iterator[None]:
        """Frames by the `forward` of each module, as the recorder stamps them: some models call it without hooks."""

        def framed(module: torch.nn.Module, path: str) -> Callable[..., Any]:
            forward, name = module.forward, type(module).__name__

            def enter_and_leave(*args: Any, **kwargs: Any) -> Any:
                if not self.recording:
                    return forward(*args, **kwargs)
                with self.builder.frame(path, name) as frame:
                    load = expert_load(frame, module, (*args, *kwargs.values()), self.concrete_values)
                    if load is not None:
                        self._experts.append(load)
                    return forward(*args, **kwargs)

            enter_and_leave.__wrapped__ = forward  # type: ignore[attr-defined]  # some models read its signature
            return enter_and_leave

        with ExitStack() as stack:
            for path, module in self._model.named_modules():
                stack.enter_context(own_forward(module, framed(module, path)))
            yield

    def literal(self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> torch.Tensor:
        """A tensor of Python values on the meta device, with its values beside it."""
        assert self.concrete_values is not None
        with torch._C._DisableTorchDispatch():
            real: torch.Tensor = func(
                *args, **{**kwargs, "device": torch.device("cpu")} if func is not torch.from_numpy else kwargs
            )
            if not isinstance(real, torch.Tensor) or real.device.type == "meta":
                return real  # as_tensor of a tensor that is one already
            made = torch.empty_like(real, device="meta")
        self.concrete_values.attach(made, real)
        return made

    def begin_operation(self) -> None:
        self._pending.append(_Pending())

    def abandon_operation(self) -> None:
        self._pending.pop()

    def end_operation(self, func: Callable[..., Any], arguments: Sequence[Any], result: Any) -> None:
        """An operation has returned: write it down, if it gave a tensor or did something."""
        pending = self._pending.pop()
        gave = [t for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        if not gave and not pending.parts:
            return  # a question about a shape
        inside = {t for part in pending.parts for t in part.writes}
        reads = [t for part in pending.parts for t in part.reads if t not in inside]
        if not pending.parts:
            reads = [self.memory.number(t) for t in tree_leaves(list(arguments)) if isinstance(t, torch.Tensor)]
        before = set(reads)
        writes = [t for t in (self.memory.number(g, TensorRole.ACTIVATION) for g in gave) if t not in before]
        writes += [t for t in pending.mutated if t not in writes and t not in inside]
        cost = Cost()
        for part in pending.parts:
            cost = cost + part.priced.cost
        nothing = OpKind.VIEW if reads else OpKind.COPY  # hands its input on, or makes a tensor of Python values
        kind = kind_of_group([part.priced for part in pending.parts]) if pending.parts else nothing
        behind = {self.builder.spec(t).storage for t in reads}
        if writes and not pending.mutated and all(self.builder.spec(t).storage in behind for t in writes):
            kind = OpKind.VIEW  # a slice by tensors looks at their values, and moves nothing of what it slices
        row = self.builder.op(
            _name(func),
            kind,
            list(dict.fromkeys(reads)),
            list(dict.fromkeys(writes)),
            cost,
            in_place=any(t in before or t in pending.mutated for t in writes),
            priced=all(part.priced.known for part in pending.parts),
        )
        self._function_of[row] = func
        if self.lifetimes is not None:
            self.lifetimes.look(row)

    def part(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> None:
        """An ATen call has returned."""
        into = _out_names(func)
        given = (list(args), {k: v for k, v in kwargs.items() if k not in into})
        tensors, results = list(leaves(given)), list(leaves(result))
        if func in _LIFTS:
            return  # a tensor of Python values comes into the world; the operation that made it is already known
        name = str(func._schema.name).replace("::", ".")
        if not self._pending:
            if not _only_views(func):
                self._orphans.append(name)
            return
        pending = self._pending[-1]
        mutated = _mutated(func, args, kwargs)
        reads = [self.memory.number(t) for t in tensors]
        origin = {self.memory.storage(t) for t in tensors}
        is_view = (
            not mutated
            and bool(results)
            and all(self.memory.storage(t) in origin for t in results)
            and _may_alias(func)
        )
        # What is written in place is also the result, and counts once.
        made = [self.memory.number(t, TensorRole.ACTIVATION) for t in (*results, *mutated)]
        writes = list(dict.fromkeys(made))
        fresh = [t for t in writes if t not in reads]
        pending.mutated += [self.memory.number(t) for t in mutated]
        call = EngineCall(
            name=name,
            reads=tuple(self.builder.spec(t) for t in reads),
            writes=tuple(self.builder.spec(t) for t in (writes if mutated else fresh or writes)),
            arguments=_plain_arguments(func, args, kwargs),
            is_view=is_view,
            # A tensor that is read a second time is in the cache by then.
            footprints=tuple(
                0 if n in reads[:i] else footprint(t) for i, (n, t) in enumerate(zip(reads, tensors, strict=True))
            ),
            nonzeros=_nonzeros(tensors),
            lengths=lengths_of(tensors[0]) if tensors else (),
        )
        priced = estimate_cost(call)
        if not priced.known:
            self._unknown[name] = None
        pending.parts.append(_Part(priced, tuple(reads), tuple(fresh), is_view))
        if self.lifetimes is not None:
            self.lifetimes.look(self.builder.operations)

    def _remarks(self) -> Iterator[Text]:
        if self._orphans:
            names = Counter(self._orphans)
            yield plural(
                "{n} call into the engine came from outside of any traced function ({names}); it is no operation here.",
                "{n} calls into the engine came from outside of any traced function ({names}); they are no operations here.",
                len(self._orphans),
                names=", ".join(names),
            )
        if self._unknown:
            yield m("FLOPs are unknown for: {names}.", names=", ".join(self._unknown))

    # The end ---------------------------------------------------------------------------------------------------------

    def finish(
        self, traced_on: str, *, generates: bool = False, stepwise: bool = False, cache_length: int | None = None
    ) -> Traced:
        """Freeze what was written down, while the result of the cycle is still held. Arguments as in `GraphBuilder.build`."""
        notes = tuple(self._remarks())
        kept = self.memory.alive()
        if stepwise and self.lifetimes is not None:
            # `generate` lets go of its cache when it returns; while its last operation runs, the cache is there.
            kept |= self.lifetimes.left()
        graph = self.builder.build(
            traced_on=traced_on,
            notes=notes,
            generates=generates,
            stepwise=stepwise,
            kept=kept,
            experts=self._experts,
            cache_length=cache_length,
        )
        functions: dict[int, Callable[..., Any]] = {}
        for function in self._function_of.values():
            functions.setdefault(id(function), function)
        function_key = {identity: key for key, identity in enumerate(functions)}
        modules = tuple(dict.fromkeys(frame.module for frame in graph.frames if frame.timed))
        module_key = {path: len(functions) + position for position, path in enumerate(modules)}
        of_op = {row: function_key[id(function)] for row, function in self._function_of.items()}
        text = len(functions) + len(modules)
        of_frame = tuple(module_key[frame.module] if frame.timed else -1 for frame in graph.frames)
        keys = InstrumentedCalls(
            functions=tuple(functions.values()),
            modules=modules,
            of_op=tuple(of_op.get(i, text) for i in range(len(graph))),
            of_frame=of_frame,
        )
        return Traced(graph, keys, self.lifetimes)


def _name(func: Callable[..., Any]) -> str:
    return str(getattr(func, "__name__", None) or func)


def _only_views(func: Any) -> bool:
    """Whether a call of `func` hands its input on under another shape (`x.T`, which no stamp can be laid around)."""
    returned = func._schema.returns
    return bool(returned) and all(r.alias_info is not None and not r.alias_info.is_write for r in returned)


def _nonzeros(tensors: Sequence[torch.Tensor]) -> tuple[int, ...]:
    """What each sparse one of `tensors` keeps; empty where none is sparse."""
    kept = tuple(nonzeros_of(tensor) for tensor in tensors)
    return kept if any(number >= 0 for number in kept) else ()


def _mutated(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[torch.Tensor]:
    """The tensors that the schema of `func` says it writes into."""
    found: list[torch.Tensor] = []
    for position, name in _written_arguments(func):
        found += leaves(args[position] if position < len(args) else kwargs.get(name))
    return found


@cache
def _written_arguments(func: Any) -> tuple[tuple[int, str], ...]:
    """Position and name of the arguments that `func` writes into."""
    return tuple(
        (position, argument.name)
        for position, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


@cache
def _out_names(func: Any) -> frozenset[str]:
    """Arguments that only say where the result goes (`out=`)."""
    return frozenset(a.name for a in func._schema.arguments if a.is_out)


def _plain_arguments(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, object]:
    """The arguments that are no tensors, by their name in the schema."""
    named = dict(zip(_argument_names(func), args, strict=False)) | kwargs
    return {k: v for k, v in named.items() if next(leaves(v), None) is None}


@cache
def _argument_names(func: Any) -> tuple[str, ...]:
    return tuple(argument.name for argument in func._schema.arguments)


@cache
def _may_alias(func: Any) -> bool:
    """Whether a result of `func` may be a part of what it was given."""
    return any(returned.alias_info is not None for returned in func._schema.returns)


class _Operations(TorchFunctionMode):
    """Sees each call from Python into the engine."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if _is_question(func):
            return func(*args, **kwargs)
        tracer = self._tracer
        if not tracer.recording:
            return self._run(func, args, kwargs)
        tracer.begin_operation()
        try:
            result = self._run(func, args, kwargs)
        except BaseException:
            tracer.abandon_operation()
            raise
        tracer.end_operation(func, (args, kwargs), result)
        return result

    def _run(self, func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
        tracer = self._tracer
        if func is SDPA and tracer.concrete_values is not None:
            return attention_like(tracer.device, *args, **kwargs)
        if func in _LITERALS and tracer.concrete_values is not None:
            return tracer.literal(func, args, kwargs)
        return func(*args, **kwargs)


def _is_question(func: Callable[..., Any]) -> bool:
    """Property getters (`x.shape`, `x.device`) and their like: no operation, and no call that could be instrumented."""
    return getattr(func, "__name__", "") in ("__get__", "__set__", "__delete__", "__len__", "__format__", "__repr__")


class _Parts(TorchDispatchMode):
    """Sees each ATen call, and carries known values along on the meta device."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """PyTorch would import its compiler, for seconds, to keep it out of here; nothing is compiled under the tracer."""
        return False

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer
        self._known = KnownResults()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        concrete_values = self._tracer.concrete_values
        result = (
            func(*args, **kwargs)
            if concrete_values is None
            else on_meta(func, args, kwargs, concrete_values, self._known)
        )
        if self._tracer.recording:
            self._tracer.part(func, args, kwargs, result)
        return result
