"""All engines there are, in one tuple: a new engine is its folder and one line here."""

from __future__ import annotations

from collections.abc import Iterable

from cyclescope.backends.ctranslate2.engine import ENGINE as CTRANSLATE2
from cyclescope.backends.engine import Capabilities, Engine
from cyclescope.backends.onnxruntime.engine import ENGINE as ONNXRUNTIME
from cyclescope.backends.openvino.engine import ENGINE as OPENVINO
from cyclescope.backends.torch.engine import ENGINE as TORCH
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.plan import Batching, Plan

# The first is `core.plan.REFERENCE_ENGINE`: it runs the model itself, and the others are held against it.
ENGINES: tuple[Engine, ...] = (
    TORCH,
    ONNXRUNTIME,
    OPENVINO,
    CTRANSLATE2,
)


def engine_names() -> tuple[str, ...]:
    """What `--engine` takes."""
    return tuple(engine.name for engine in ENGINES)


def engine_named(name: str) -> Engine:
    """The engine that is called so. Raises `UsageError` with the known names."""
    for engine in ENGINES:
        if engine.name == name:
            return engine
    raise UsageError(
        m("Unknown engine {name}.", name=repr(name)), "", m("Known are {names}.", names=", ".join(engine_names()))
    )


def capabilities_of(name: str) -> Capabilities:
    """What the engine that is called so can do; of one that is not known here, what every engine can."""
    return next((engine.capabilities for engine in ENGINES if engine.name == name), Capabilities())


def title_of(name: str) -> str:
    """What a reader calls the engine `name`; of one that is not known here its name."""
    return next((engine.title for engine in ENGINES if engine.name == name), name)


def engine_files() -> tuple[str, ...]:
    """Names of the files that some engine has beside the code of a recipe."""
    return tuple(name for engine in ENGINES if engine.code is not None for name in engine.code().files)


def works_on_padding(plan: Plan) -> bool:
    """Whether what fills a batch up is computed as text is, and not taken out before."""
    return not capabilities_of(plan.engine).skips_padding and plan.batching != Batching.PACKED


def _versions(packages: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Those of `packages` that are installed. What reads this machine is loaded late: `--help` needs the names only."""
    from cyclescope.machines.host import package_versions

    return package_versions(packages)


def engine_packages(name: str) -> tuple[tuple[str, str], ...]:
    """The packages of the engine `name` with their versions, beside those that every measured machine lists."""
    engine = engine_named(name)
    return () if engine.capabilities.native else _versions(engine.packages)


def installed_engines() -> tuple[tuple[str, str], ...]:
    """Name and version of each engine that can be used; the version is that of its own package."""
    there = ((engine.name, dict(_versions(engine.packages[:1]))) for engine in ENGINES)
    return tuple((name, version) for name, found in there for version in found.values())


def installed_companions() -> tuple[tuple[str, str], ...]:
    """Name and version of the installed packages that engines use beside their own."""
    names = [name for e in ENGINES for name in (*e.packages[1:], *e.reads_with, *e.companions)]
    own = {engine.packages[0] for engine in ENGINES if engine.packages}
    return _versions(name for name in dict.fromkeys(names) if name not in own)
