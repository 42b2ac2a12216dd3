"""What an engine is: a value with its name, its packages, what it can do, and how to open it.

Each engine has a folder with `engine.py`, which holds its `ENGINE`; `backends/engines.py` has the tuple of all. Importing
these files imports no engine: the callables of an `Engine` do that when they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import Text, listed, m

if TYPE_CHECKING:
    from cyclescope.backends.base import DialogueSession, ModelOutline, OpenTokenizers, Request, Session, WatchedCalls
    from cyclescope.backends.code import EngineCode
    from cyclescope.backends.probing import Probes
    from cyclescope.backends.settings import Setting
    from cyclescope.core.graph.graph import Graph


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, as far as a plan is made by it. What an engine refuses in a single case, it raises when opened.

    `native`: it runs the modules of the transformers model itself, whose attention, activations and weights can be chosen
    and changed. `dtypes` are those that it computes in on a processor; `mixes_dtypes`: also where products are quantized.
    `checks_guesses`: one call reads several guessed tokens; `drafts`: another model may guess them. `skips_padding`: what
    fills a batch up costs no work. `converts`: it takes the weights as they are, which takes a part of what an export does.
    """

    native: bool = False
    dtypes: tuple[str, ...] = ("float32",)
    mixes_dtypes: bool = False
    quantizations: tuple[str, ...] = ()
    compilings: tuple[str, ...] = ()
    batchings: tuple[str, ...] = ("given", "length")
    caches: tuple[str, ...] = ("dynamic",)
    checks_guesses: bool = False
    drafts: bool = False
    threads_between: bool = False
    skips_padding: bool = False
    converts: bool = False


def _no_variables() -> Mapping[str, str]:
    return {}


def _no_settings() -> Iterable[Setting]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine. `name` is what a plan and `--engine` call it, `title` what a reader does.

    `packages` must be installed, its own one first; `reads_with` are those by which it reads a transformers model;
    `companions` are used where they are there. `extra` is the extra of cyclescope that installs all of them (empty: none
    does), and `purpose` says what they are for. `variables` are set in the environment of processes that run it.
    `settings` are the global ones of its packages, which a measurement puts back.

    `open` gives a session for a request, `code` what the engine contributes to the code of a recipe. The others are what an engine may offer besides; what it does not offer (None)
    is asked of the first engine that does.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    extra: str
    purpose: Text
    open: Callable[[Request], Session]
    capabilities: Capabilities = field(default_factory=Capabilities)
    reads_with: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    variables: Callable[[], Mapping[str, str]] = _no_variables
    settings: Callable[[], Iterable[Setting]] = _no_settings
    code: Callable[[], EngineCode] | None = None
    probes: Callable[[str], Probes] | None = None
    preload: Callable[[Request], None] | None = None
    trace: Callable[[Request], Graph] | None = None
    outline: Callable[[Request], ModelOutline] | None = None
    configuration: Callable[[str], Mapping[str, Any]] | None = None
    dialogue: Callable[[Request, str], DialogueSession] | None = None
    tokenizers: Callable[[Request], OpenTokenizers] | None = None
    watch: Callable[[object], AbstractContextManager[WatchedCalls]] | None = None
    keep: Callable[[Sequence[Request]], AbstractContextManager[None]] | None = None

    @property
    def install(self) -> str:
        """The command that installs what the engine needs."""
        return (
            install_command(self.extra) if self.extra else f"pip install {' '.join((*self.packages, *self.reads_with))}"
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """What the engine needs and is not installed."""
        return _missing((*self.packages, *self.reads_with))

    def require(self, *, models: bool = True) -> None:
        """Raise `MissingExtra` where something that the engine needs is not installed; what it reads `models` with only
        where there is one to read.
        """
        missing = self.missing if models else _missing(self.packages)
        if missing:
            raise MissingExtra(_not_installed(missing), self.purpose, self.install)


def install_command(extra: str) -> str:
    """How to install the `extra` of cyclescope."""
    return f"pip install 'cyclescope[{extra}]'"


def _missing(packages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in packages if find_spec(name) is None)


def _not_installed(missing: tuple[str, ...]) -> Text:
    """`onnxruntime, onnx and onnxscript are not installed.`"""
    *others, last = missing
    if not others:
        return m("{package} is not installed.", package=last)
    return m("{packages} and {last} are not installed.", packages=listed(others), last=last)
