"""The model and its tokenizer, from a reference or from the user's hands."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from cyclescope.backends.base import Request
from cyclescope.backends.errors import memory_error_in
from cyclescope.backends.torch.keeping.settings import quietly
from cyclescope.backends.torch.loading.gguf import forget_gguf, gguf_options, parsed_once
from cyclescope.backends.torch.loading.heads import auto_class, head_in_hand, head_of, pad_for_classes
from cyclescope.backends.torch.loading.hub import require_on_hub
from cyclescope.backends.torch.loading.input_checks import check_tokenizer
from cyclescope.backends.torch.loading.modalities import refuse_no_text
from cyclescope.backends.torch.stamping.device import free_bytes
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.meta import build_on_meta
from cyclescope.core.errors import (
    CyclescopeError,
    EngineError,
    MissingExtra,
    ModelError,
    UnknownModel,
    Unsupported,
    UsageError,
)
from cyclescope.core.graph.tensor import bits_of
from cyclescope.core.message import Text, m, sentences
from cyclescope.core.workload import Weights
from cyclescope.machines.host import available_memory_bytes
from cyclescope.models.catalog import TokenizerFacts
from cyclescope.models.folder import LocalFolder
from cyclescope.models.guess import tokenizer_facts
from cyclescope.models.packaged import MINILM_NAMES, MINILM_SOURCE
from cyclescope.models.quantized import StoredQuantization, ignored, quantization_of, require_reader
from cyclescope.models.reference import (
    BuiltIn,
    ConfigFile,
    GgufFile,
    HubName,
    ModelSource,
    refuse_remote_code,
    resolve,
    unknown,
)
from cyclescope.models.weights import Wanted, choose_weights, unread_weights, weights_folder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# A model that leaves less than this share of the free memory is refused before anything is allocated.
_MOST_OF_MEMORY = 0.9
_INSTALL = re.compile(r"`(pip install [^`]+)`")  # as transformers names what is missing
IN_HAND = "in hand"  # the source of a model object


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model that is ready, with what is known about where it came from. `head` is what `task` asks of it.

    `build` makes another model of the same class and configuration with random weights, for a trace; None for a model
    in hand, which may differ from its configuration.
    """

    model: torch.nn.Module
    tokenizer: Any
    tokenizer_name: str
    stand_in: bool
    reference: str
    source: str
    weights: Weights
    task: str
    head: str
    build: Callable[[], torch.nn.Module] | None
    note: Text = ""


@dataclass(frozen=True, eq=False)
class ModelRecipe:
    """How to build a model of a reference, before anything is allocated. `note`: what its user must know, or empty."""

    source: ModelSource
    config: Any
    task: str
    head: str
    build: Callable[[], torch.nn.Module]
    settings: Mapping[str, Any]
    note: Text

    @property
    def stored(self) -> StoredQuantization | None:
        """How the checkpoint stores its weights, where that is quantized."""
        said: Any = getattr(self.config, "quantization_config", None)
        return quantization_of({"quantization_config": said.to_dict() if hasattr(said, "to_dict") else said})


def recipe(request: Request) -> ModelRecipe:
    """Resolve `request.model` and read its configuration. Raises `ModelError` and its kin."""
    assert isinstance(request.model, str)
    source = resolve(request.model)
    if not request.trust_remote_code:
        refuse_remote_code(source)
    note: Text = ""
    try:
        config = _config(source, request)
    except UnknownModel:
        if not (isinstance(source, HubName) and source.built_in is not None and request.weights != "pretrained"):
            raise
        source = BuiltIn(source.built_in, None)
        config = _config(source, request)
        note = m("The hub could not be reached; {model} is the built-in architecture.", model=source.entry.name)
    task = task_of(request, config)
    head = head_of(task, config)
    if head == "classify":
        pad_for_classes(config)
    settings: dict[str, Any] = {"dtype": _dtype(request.dtype)}
    if request.attention is not None:
        settings["attn_implementation"] = request.attention

    def build() -> torch.nn.Module:
        torch.default_generator.manual_seed(request.seed)  # weights are made on the processor
        with _model_errors(request, task):
            model: torch.nn.Module = auto_class(head, config).from_config(config, **settings)
        return model

    return ModelRecipe(source, config, task, head, build, settings, note)


def named(made: ModelRecipe, request: Request, model: torch.nn.Module) -> Loaded:
    """`model`, made by the recipe of `request`, without a tokenizer."""
    return Loaded(
        model=model,
        tokenizer=None,
        tokenizer_name="none",
        stand_in=False,
        reference=shown_reference(str(request.model)),
        source=_published(made.source, str(request.model)),
        weights=Weights.RANDOM,
        task=made.task,
        head=made.head,
        build=made.build,
        note=made.note,
    )


# Models that this process keeps for sessions to come, with the number of threads that is to be in force again.
_kept: dict[tuple[object, ...], tuple[Loaded, int]] = {}


def _key(request: Request) -> tuple[object, ...]:
    return request.model, request.task, request.weights, request.seed, request.new_tokens is None


def keep(request: Request) -> None:
    """Load the model that `request` names, with one thread and so without starting any, and keep it for `load`."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _kept[_key(request)] = load(request), threads


def load(request: Request) -> Loaded:
    """The model that `request` names, with weights, on its device. One that is kept is the same object every time."""
    assert isinstance(request.model, str)
    if (kept := _kept.get(_key(request))) is not None:
        return _as_requested(*kept, request)
    with parsed_once(resolve(request.model)):
        return _loaded(request)


def _loaded(request: Request) -> Loaded:
    """The same, read from where it is."""
    assert isinstance(request.model, str)
    made = recipe(request)
    wanted: Wanted = "auto" if request.weights == "auto" else "random" if request.weights == "random" else "pretrained"
    weights = choose_weights(made.source, wanted)
    note = made.note
    if request.inputs is None:
        refuse_no_text(made.config, shown_reference(request.model))
    stored = made.stored
    if weights is Weights.PRETRAINED and stored is not None:
        require_reader(stored, shown_reference(request.model))
    _refuse_too_large(made, request)
    if weights is Weights.PRETRAINED:
        location, local = _location(made.source)
        with _model_errors(request, made.task):
            model, info = auto_class(made.head, made.config).from_pretrained(
                location,
                output_loading_info=True,
                local_files_only=local,
                trust_remote_code=request.trust_remote_code,
                **(gguf_options(made.source) or {"use_safetensors": True}),
                **made.settings,
            )
        if isinstance(made.source, GgufFile):
            forget_gguf(model)
        fresh = sorted(info["missing_keys"])
        if fresh:
            note = m(
                "{count} weights are not in the checkpoint and are random ({name} …): outputs mean nothing.",
                count=len(fresh),
                name=fresh[0],
            )
    else:
        model = made.build()
        unread = unread_weights(made.source) if request.weights == "auto" else ""
        note = sentences(note, unread, ignored(stored) if stored is not None else "")
    tokenizer, name, stand_in = tokenizer_of(made.source, made.config, request)
    return Loaded(
        # Quantized weights lie where they were read to, and some refuse to be moved.
        model=model.eval() if getattr(model, "is_quantized", False) else model.eval().to(request.device),
        tokenizer=tokenizer,
        tokenizer_name=name,
        stand_in=stand_in,
        reference=shown_reference(request.model),
        source=_published(made.source, request.model),
        weights=weights,
        task=made.task,
        head=made.head,
        build=made.build,
        note=note,
    )


def _as_requested(loaded: Loaded, threads: int, request: Request) -> Loaded:
    """The kept model in the precision, with the attention and on the device that `request` wants."""
    torch.set_num_threads(threads)
    model: Any = loaded.model
    with _model_errors(request, loaded.task):
        if request.attention is not None:
            model.set_attn_implementation(request.attention)
        model.to(device=request.device, dtype=_dtype(request.dtype))
    return replace(loaded, build=recipe(request).build)


def in_hand(request: Request) -> Loaded:
    """A model object that the user has. It is traced where it lies, since it may differ from its configuration."""
    model = request.model
    if not isinstance(model, torch.nn.Module):
        parts = getattr(model, "model", None)
        if isinstance(parts, torch.nn.Module):  # a pipeline of transformers, or what holds a model likewise
            raise UsageError(
                m("A {qualname} is not a model that can be measured.", qualname=type(model).__qualname__),
                m("It holds a model and what belongs to it."),
                m("Give its parts: measure({name}.model, text, tokenizer={name}.tokenizer).", name="pipeline"),
            )
        raise UsageError(
            m(
                "A {module}.{qualname} is not a model that can be measured.",
                module=type(model).__module__,
                qualname=type(model).__qualname__,
            ),
            m("It is neither the name of a model nor a torch.nn.Module."),
            m("Give a folder, a name, or a PyTorch model."),
        )
    check_tokenizer(request.tokenizer)
    task = task_of(request, getattr(model, "config", None))
    name = type(request.tokenizer).__name__ if request.tokenizer is not None else "none"
    head = head_in_hand(task, model)
    return Loaded(model, request.tokenizer, name, False, type(model).__name__, IN_HAND, Weights.GIVEN, task, head, None)


def tokenizer_of(source: ModelSource, config: Any, request: Request) -> tuple[Any, str, bool]:
    """The model's own tokenizer, or a stand-in of the same kind and size, with its name and which of both it is.

    (None, `none`, False) where neither can be had.
    """
    import transformers

    folder = weights_folder(source)
    if (folder is not None and folder.has_tokenizer) or (folder is None and isinstance(source, HubName | GgufFile)):
        location, local = _location(source)
        with _model_errors(request, ""):
            own = transformers.AutoTokenizer.from_pretrained(
                location,
                local_files_only=local,
                trust_remote_code=request.trust_remote_code,
                **gguf_options(source),
            )
        return own, type(own).__name__, False
    facts = source.entry.tokenizer if isinstance(source, BuiltIn) else None
    if facts is None:
        try:
            facts = tokenizer_facts(config.to_dict())
        except ModelError:
            return None, "none", False
    try:
        return stand_in_tokenizer(facts), facts.kind.value, True
    except ModelError:
        if request.tokens is None and request.inputs is None:
            raise
        return None, "none", False  # nobody asks it for anything


def stand_in_tokenizer(facts: TokenizerFacts) -> PreTrainedTokenizerFast:
    """The stand-in for `facts` as transformers runs it. Raises `ModelError` where the vocabulary is too small."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from cyclescope.models.standin import stand_in

    made = stand_in(facts)
    return PreTrainedTokenizerFast(
        tokenizer_object=_Uncopied(Tokenizer.from_str(made.json)),
        model_max_length=made.model_max_length,
        model_input_names=list(made.input_names),
        **made.special_tokens,
    )


@dataclass(frozen=True, eq=False)
class _Uncopied:
    """A tokenizer that nobody else has: transformers copies what it is given, by writing and parsing all of a vocabulary."""

    tokenizer: Any

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.tokenizer


def _location(source: ModelSource) -> tuple[str, bool]:
    """What to hand to `from_pretrained`, and whether it must not look beyond this disk."""
    folder = weights_folder(source)
    if folder is not None:
        return str(folder.path), True
    if isinstance(source, GgufFile):
        return str(source.path.parent), True
    assert isinstance(source, HubName)
    return source.name, False


def shown_reference(reference: str) -> str:
    """`reference` as a saved run may tell it: of a folder or file only the last names, no path of this machine."""
    path = os.path.abspath(os.path.expanduser(reference))
    if os.path.isdir(path):
        return os.path.basename(path) or reference
    if os.path.isfile(path):
        return os.path.join(os.path.basename(os.path.dirname(path)), os.path.basename(path))
    return reference


def _published(source: ModelSource, reference: str) -> str:
    """Where the architecture comes from, without any path of this machine."""
    if reference.lower() in MINILM_NAMES:
        return MINILM_SOURCE
    if isinstance(source, BuiltIn):
        return source.entry.source
    if isinstance(source, HubName):
        return f"https://huggingface.co/{source.name}"
    return "local folder" if isinstance(source, LocalFolder) else "local configuration"


def _config(source: ModelSource, request: Request) -> Any:
    import transformers

    data: Mapping[str, Any] | None = None
    if isinstance(source, ConfigFile):
        data = source.config
    elif isinstance(source, BuiltIn) and source.cached is None:
        data = source.entry.config
    with _model_errors(request, ""):
        if data is not None:
            fields = dict(data)
            return transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
        location, local = _location(source)
        if not local:
            require_on_hub(location)
        return transformers.AutoConfig.from_pretrained(
            location,
            local_files_only=local,
            trust_remote_code=request.trust_remote_code,
            **gguf_options(source),
        )


def _refuse_too_large(made: ModelRecipe, request: Request) -> None:
    free = available_memory_bytes() if request.device == "cpu" else free_bytes(request.device)
    if free is None:
        return
    model = build_on_meta(made.build, ConcreteValues())
    where = m(" on {device}", device=request.device) if request.device != "cpu" else ""
    need = sum(p.numel() * p.element_size() for p in model.parameters())
    if need > _MOST_OF_MEMORY * free:
        raise EngineError(
            m("{model} does not fit into memory.", model=str(request.model)),
            m(
                "Its weights take {need} GB, and {free} GB are free{where}.",
                need=f"{need / 1e9:.1f}",
                free=f"{free / 1e9:.1f}",
                where=where,
            ),
            m("Use a smaller model or --dtype bfloat16. `cyclescope trace` needs no memory for weights."),
        )


def task_of(request: Request, config: Any) -> str:
    """The task: as asked for, or what the configuration says that its head is for."""
    if request.task != "auto":
        return request.task
    if request.new_tokens is not None or request.cache_length is not None:
        return "generate"
    head = next(iter(getattr(config, "architectures", None) or ()), "")
    return "classify" if head.endswith("ForSequenceClassification") else "embed"


def _dtype(name: str | None) -> torch.dtype:
    if name is None:
        return torch.float32
    bits_of(name)
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise Unsupported(
            m("A model cannot run in {name}.", name=name), "", m("Use --dtype float32, bfloat16 or float16.")
        )
    return found


@contextmanager
def _model_errors(request: Request, task: str) -> Iterator[None]:
    """Map what transformers raises while it loads to one of our errors, with a way out."""
    reference = str(request.model)
    try:
        with quietly():
            yield
    except CyclescopeError:
        raise
    except Exception as exc:
        lacking = memory_error_in(exc)
        if lacking is not None:
            raise EngineError(
                m("Not enough memory to load {reference}.", reference=reference),
                str(lacking),
                m("Use a smaller model."),
            ) from exc
        line = next((text.strip() for text in str(exc).splitlines() if text.strip()), "")
        cause = f"{type(exc).__name__}: {line}"
        install = _INSTALL.search(str(exc))
        if install is not None and isinstance(exc, ImportError):
            raise MissingExtra(
                m("{reference} needs a package that is not installed.", reference=reference), cause, f"{install[1]}"
            ) from exc
        if "quantiz" in line and isinstance(exc, RuntimeError | ValueError):
            raise Unsupported(
                m("The weights of {reference} are stored quantized, and cannot be loaded here.", reference=reference),
                cause,
                m("Use its float checkpoint. --weights random measures the architecture in float32."),
            ) from exc
        if "Unrecognized configuration class" in line:
            raise Unsupported(
                m("{reference} has no head for the task {task} in transformers.", reference=reference, task=repr(task)),
                cause,
                m("Use --task embed."),
            ) from exc
        # A model that is asked for no kind of attention can still say the word, about its number of heads.
        requested = request.attention is not None
        if requested and "attention" in line.lower() and isinstance(exc, ValueError | ImportError):
            raise Unsupported(
                m(
                    "{reference} does not support --attention {attention}.",
                    reference=reference,
                    attention=request.attention or "",
                ),
                cause,
                m("Use --attention eager."),
            ) from exc
        if "Unrecognized model identifier" in line or "does not recognize this architecture" in line:
            raise ModelError(
                m("This version of transformers does not know the model type of {reference}.", reference=reference),
                cause,
                m("Install a newer transformers, or check `model_type` in its config.json."),
            ) from exc
        if isinstance(exc, OSError) and not reference.startswith((".", "/")):
            raise unknown(reference, f"The hub did not give it ({line}).") from exc
        raise ModelError(
            m("{reference} cannot be loaded.", reference=reference), cause, m("Check that its files are complete.")
        ) from exc
