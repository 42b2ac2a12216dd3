"""What a prediction is asked to change: figures of the machine by a factor, and what is run by a value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.tensor import known_dtypes
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, listed, m, sentences
from cyclescope.machines import plausible

FACTORS = ("bandwidth", "flops", "overhead", "memory")
DEGREES = ("tensor", "pipeline", "data", "microbatches")
COUNTS = ("batch", "tokens", "cache", "threads", *DEGREES)
NAMES = ("dtype", "attention", "weights")
KEYS = (*FACTORS, *COUNTS, *NAMES)
ATTENTION = ("eager", "sdpa")
WEIGHT_TYPES = ("int8", "int4", "float8_e4m3fn", "float8_e5m2")  # of weights only: products are computed in the dtype
MOST_POINTS = 20_000
_RANGE = re.compile(r"(\d+)\s*\.\.\s*(\d+)(?:\s*([:*×])\s*(\d+))?")
_MOST_COUNT = 10**8
_FACTOR = re.compile(r"(?:[x×]\s*([0-9.]+(?:e-?[0-9]+)?)|([0-9.]+(?:e-?[0-9]+)?)\s*[x×])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Setting:
    """One change: `name` is one of `KEYS`, `value` a factor, a count or a name."""

    name: str
    value: float | int | str

    @property
    def text(self) -> str:
        """As a person writes it: `bandwidth ×2`, `threads 8`."""
        return f"×{self.value:g}" if self.name in FACTORS else str(self.value)


@dataclass(frozen=True, slots=True)
class Settings:
    """Changes by name; what is not named stays as it is."""

    changes: tuple[Setting, ...] = ()

    def get(self, name: str) -> float | int | str | None:
        return next((change.value for change in reversed(self.changes) if change.name == name), None)

    def factor(self, name: str) -> float:
        found = self.get(name)
        return float(found) if isinstance(found, int | float) else 1.0

    def count(self, name: str, otherwise: int | None) -> int | None:
        found = self.get(name)
        return found if isinstance(found, int) else otherwise

    def name(self, name: str, otherwise: str | None) -> str | None:
        found = self.get(name)
        return found if isinstance(found, str) else otherwise

    @property
    def notes(self) -> tuple[Text, ...]:
        """What a reader of the prediction must know of it."""
        changed = listed(f"{change.name} {change.text}" for change in self.changes)
        return (m("What if: {changed}.", changed=changed),) if self.changes else ()

    def joined(self, more: Sequence[Setting]) -> Settings:
        return Settings((*self.changes, *more))


def parse_setting(text: str) -> Setting:
    """`bandwidth=2x`, `threads=8`, `dtype=int8`. Raises `UsageError`."""
    name, value = _split(text, "--set")
    return _setting(name, value, "--set")


def parse_sweep(text: str) -> tuple[Setting, ...]:
    """`batch=1,2,4`, `batch=1..64`, `tokens=128..4096:128`, `cache=1024..65536*2`: one setting for each value.

    Raises `UsageError`.
    """
    name, values = _split(text, "--sweep")
    parts = [value for part in values.split(",") for value in _values(part.strip(), text)]
    if not all(parts):
        raise UsageError(
            m("--sweep must have a value on both sides of each comma (got {value}).", value=text), "", _example(name)
        )
    found = tuple(dict.fromkeys(_setting(name, part, "--sweep") for part in parts))
    if len(found) < 2:
        raise UsageError(m("--sweep must have two values or more (got {value}).", value=text), "", _example(name))
    return found


def require_no_threads(names: Iterable[str], option: str, machine: Machine) -> None:
    """Raise `UsageError` where threads are among the `names` that `option` sets on a device, which has none of a processor."""
    if "threads" in names:
        raise UsageError(
            m("{option} threads needs a processor (got {machine}).", option=option, machine=machine.processor),
            m("The operations run on the device, and the threads of its host change no time of a prediction."),
            m("Remove it, or name a processor with --on."),
        )


def _example(name: str) -> Text:
    """How a sweep over `name` is written."""
    values = "1x,2x,4x" if name in FACTORS else "1,2,4,8" if name in COUNTS else _NAMED[name]
    return m("Write for example --sweep {name}={values}.", name=name, values=values)


def _values(part: str, text: str) -> Sequence[str]:
    """The values of one part between commas: itself, or all of a range."""
    found = _RANGE.fullmatch(part)
    if found is None:
        if ".." in part:
            raise _no_range(
                m("--sweep must have ranges with a first and a last whole number (got {value}).", value=text)
            )
        return (part,)
    first, last, how = int(found[1]), int(found[2]), found[3] or ":"
    step = int(found[4] or 1)
    if not first:
        raise _no_range(m("--sweep must have ranges from 1 up (got {value}).", value=text))
    if first > last:
        raise _no_range(m("--sweep must have ranges that rise (got {value}).", value=text))
    if step < (1 if how == ":" else 2):
        least = m("The step must be 1 or more.") if how == ":" else m("The factor must be 2 or more.")
        raise _no_range(m("--sweep must have ranges that rise (got {value}).", value=text), least)
    if last > _MOST_COUNT:
        raise _no_range(m("--sweep must have ranges up to {most} (got {value}).", most=_MOST_COUNT, value=text))
    if how == ":":
        wanted = range(first, last + 1, step)
        if len(wanted) > MOST_POINTS:
            raise _too_many(len(wanted))
        return tuple(map(str, wanted))
    counts = [first]
    while counts[-1] * step <= last:
        counts.append(counts[-1] * step)
    return tuple(map(str, counts))


def _no_range(fact: Text, cause: Text = "") -> UsageError:
    return UsageError(
        fact,
        sentences(cause, m("A range is FIRST..LAST, FIRST..LAST:STEP, or FIRST..LAST*FACTOR.")),
        m("Write for example --sweep batch=1..64, or --sweep tokens=128..4096*2."),
    )


def _too_many(points: int) -> UsageError:
    return UsageError(
        m("--sweep must make at most {most} predictions (got {points}).", most=MOST_POINTS, points=points), "",
        m("Give fewer values."),
    )  # fmt: skip


def grid(sweeps: Sequence[Sequence[Setting]]) -> list[tuple[Setting, ...]]:
    """All combinations, the last sweep fastest. Raises `UsageError` for the same name twice and for too many points."""
    names = [sweep[0].name for sweep in sweeps]
    if len(names) > 2 or len(set(names)) < len(names):
        raise UsageError(
            m("--sweep must be given once or twice, each with another name (got {names}).", names=listed(names)),
            m("Two sweeps make a table with rows and columns."), m("Use --set for what stays the same."),
        )  # fmt: skip
    points = math.prod(len(sweep) for sweep in sweeps)
    if points > MOST_POINTS:
        raise _too_many(points)
    return list(product(*sweeps))


def changed_machine(machine: Machine, ceilings: Ceilings, settings: Settings) -> tuple[Machine, Ceilings]:
    """The machine with its figures changed; each says so in its remark."""

    def scaled(figure: Figure, name: str) -> Figure:
        factor = settings.factor(name)
        return figure if factor == 1 else figure.scaled(factor, m("what if: ×{factor}", factor=format(factor, "g")))

    def optional(figure: Figure | None, name: str) -> Figure | None:
        return None if figure is None else scaled(figure, name)

    overheads = ceilings.overheads
    changed = replace(
        ceilings,
        products=tuple(replace(p, flops_per_s=scaled(p.flops_per_s, "flops")) for p in ceilings.products),
        bandwidths=tuple(replace(b, bytes_per_s=scaled(b.bytes_per_s, "bandwidth")) for b in ceilings.bandwidths),
        overheads=replace(
            overheads,
            dispatch_ns=optional(overheads.dispatch_ns, "overhead"),
            module_call_ns=optional(overheads.module_call_ns, "overhead"),
            launch_ns=optional(overheads.launch_ns, "overhead"),
        ),
    )
    memory = round(machine.memory_bytes * settings.factor("memory"))
    return replace(machine, memory_bytes=memory, ceilings=changed), changed


def _split(text: str, option: str) -> tuple[str, str]:
    name, equals, value = (part.strip() for part in text.partition("="))
    name = _ALIASES.get(name.lower().replace("-", "_"), name.lower())
    if not equals or not value:
        raise UsageError(
            m("{option} must be NAME=VALUE (got {value}).", option=option, value=text), "",
            m("Write for example {option} bandwidth=2x.", option=option) if option == "--set" else _SWEEP_EXAMPLE,
        )  # fmt: skip
    if name not in KEYS:
        near = get_close_matches(name, KEYS, 1, 0.6)
        raise UsageError(
            m("{option} knows no {name}.", option=option, name=name), "",
            sentences(
                m("Did you mean {name}?", name=near[0]) if near else "", m("Known are {names}.", names=listed(KEYS))
            ),
        )  # fmt: skip
    return name, value


_ALIASES: Mapping[str, str] = {
    "cache_length": "cache", "compute": "flops", "peak": "flops", "bytes_per_s": "bandwidth", "memory_bytes": "memory",
    "overheads": "overhead", "batch_size": "batch", "length": "tokens",
}  # fmt: skip
_NAMED = {"dtype": "float32,bfloat16", "attention": "eager,sdpa", "weights": "int8,int4"}
_SWEEP_EXAMPLE = m("Write for example --sweep batch=1,2,4,8.")


def _setting(name: str, value: str, option: str) -> Setting:
    if name in FACTORS:
        return Setting(name, _factor(name, value, option))
    if name in COUNTS:
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= _MOST_COUNT:
            raise UsageError(
                m("{option} {name} must be a whole number from 1 up (got {value}).", option=option, name=name, value=value),
                "", _example(name) if option == "--sweep" else m("Write for example {option} {name}=8.", option=option, name=name),
            )  # fmt: skip
        return Setting(name, int(value))
    if name == "attention":
        if value not in ATTENTION:
            raise UsageError(
                m("{option} attention must be one of {names} (got {value}).", option=option, names=listed(ATTENTION), value=value)
            )  # fmt: skip
        return Setting(name, value)
    dtype = plausible.DTYPES.get(value.lower(), value)
    if dtype not in known_dtypes():
        near = get_close_matches(value, known_dtypes(), 1, 0.5)
        raise UsageError(
            m("{option} {name} must be a dtype (got {value}).", option=option, name=name, value=value), "",
            m("Did you mean {name}?", name=near[0]) if near else m("Known dtypes: {known}.", known=listed(known_dtypes())),
        )  # fmt: skip
    return Setting("weights" if dtype in WEIGHT_TYPES else name, dtype)


def _factor(name: str, value: str, option: str) -> float:
    match = _FACTOR.fullmatch(value)
    try:
        factor = float(match[1] or match[2]) if match else math.nan
    except ValueError:
        factor = math.nan
    if not math.isfinite(factor) or factor < 0 or (factor == 0 and name != "overhead") or factor > 1e6:
        raise UsageError(
            m("{option} {name} must be a factor such as 2x (got {value}).", option=option, name=name, value=value),
            m("It multiplies the figure of the machine."),
            m("Write {option} {name}=2x; give figures themselves in a file with --machine.", option=option, name=name),
        )
    return factor
