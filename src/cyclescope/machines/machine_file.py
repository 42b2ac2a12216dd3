"""A file of a machine's figures that a user writes, in the form of the rows of `machines.toml`.

Beside the keys of the catalogue (`interconnects` too, with the `latency_ns` of a message where it is known) a row may have `levels`, a list of caches {level, capacity_bytes, bytes_per_s}, and what the
engine takes there: `dispatch_ns`, `launch_ns`, `module_call_ns`, with their `overheads_source`. A file holds one row at its
top, or several as [[machine]]. Every figure needs a source, and one in another unit is refused with what it seems to mean.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cyclescope.core.ceilings import BandwidthCeiling, Figure, Overheads
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.tensor import known_dtypes
from cyclescope.core.message import Message, listed, m
from cyclescope.machines import plausible
from cyclescope.machines.catalog import KnownMachine, machine_of_row
from cyclescope.machines.plausible import Quantity

OVERHEADS = ("dispatch_ns", "launch_ns", "module_call_ns")
_FIGURES: Mapping[str, Quantity] = {
    "bytes_per_s": plausible.BYTES_PER_S,
    "memory_bytes": plausible.MEMORY_BYTES,
    "clock_hz": plausible.HERTZ,
    "cores": plausible.CORES,
    **dict.fromkeys(OVERHEADS, plausible.OVERHEAD_NS),
}
_TABLES: Mapping[str, Quantity] = {"flops": plausible.FLOPS, "flops_per_cycle": plausible.FLOPS_PER_CYCLE}
_LEVEL: Mapping[str, Quantity] = {
    "capacity_bytes": plausible.CAPACITY_BYTES,
    "bytes_per_s": plausible.CACHE_BYTES_PER_S,
}
_LINK: Mapping[str, Quantity] = {"bytes_per_s": plausible.LINK_BYTES_PER_S, "latency_ns": plausible.OVERHEAD_NS}
_TEXTS = ("name", "source", "remark", "flops_per_cycle_source", "overheads_source")
_KEYS = (*_FIGURES, *_TABLES, *_TEXTS, "also", "levels", "interconnects")
# What needs a source, and the key that names it; all else needs `source`.
_SOURCES: Mapping[str, str] = {
    "flops_per_cycle": "flops_per_cycle_source",
    **dict.fromkeys(OVERHEADS, "overheads_source"),
}
_MOST_BYTES = 1_000_000
_LINK_EXAMPLE = m(
    'Write interconnects = [{{ name = "NVLink", devices = 8, bytes_per_s = 450e9, latency_ns = 5e3, source = "https://…" }}].'
)
_EXAMPLE = m(
    'Write for example: name = "My GPU", bytes_per_s = 900e9, flops = {{ float16 = 125e12 }}, source = "https://…".'
)


def read_machine_file(path: str | os.PathLike[str], name: str | None = None) -> KnownMachine:
    """The machine in the file `path`; where it has several, the one called `name`. Raises `UsageError`: which figure is
    wrong, and what it was likely meant to be.
    """
    rows = _rows(Path(path))
    read_at = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC).strftime("%Y-%m-%d")
    machines = [_checked(row, str(path), read_at) for row in rows]
    if name is None and len(machines) == 1:
        return machines[0]
    names = [machine.name for machine in machines]
    found = [machine for machine in machines if name is not None and name.lower() in _names(machine)]
    if len(found) == 1:
        return found[0]
    if name is None:
        fact = m("{path} holds {n} machines, and one must be named.", path=str(path), n=len(machines))
    else:
        fact = m("{path} holds no machine {name}.", path=str(path), name=repr(name))
    raise UsageError(fact, m("It holds {names}.", names=listed(names)), m("Name one of them with --on."))


def _names(machine: KnownMachine) -> set[str]:
    return {known.lower() for known in (machine.name, *machine.also)}


def _rows(path: Path) -> list[Mapping[str, Any]]:
    fact = m("{path} must be a file of machines.", path=str(path))
    try:
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            raise UsageError(fact, m("It is larger than any such file."), _EXAMPLE)
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UsageError(m("{path} cannot be read.", path=str(path)), f"{exc.strerror or exc}.", _EXAMPLE) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UsageError(fact, m("It is not TOML: {why}.", why=str(exc)), _EXAMPLE) from exc
    rows = data.get("machine", [data] if data else [])
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(fact, m("It has no [[machine]]."), _EXAMPLE)
    return rows


def _checked(row: Mapping[str, Any], path: str, read_at: str) -> KnownMachine:
    """`row` as a machine whose figures were written down at `read_at`. Raises `UsageError`."""
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise UsageError(m("A machine in {path} has no name.", path=path), "", _EXAMPLE)
    _refuse_unknown(row, _KEYS, name)
    for key in _TEXTS:
        if not isinstance(row.get(key, ""), str):
            raise UsageError(
                m("{key} of {name} must be a text (got {value}).", key=key, name=name, value=repr(row[key]))
            )
    also = row.get("also", [])
    if not isinstance(also, list) or not all(isinstance(each, str) for each in also):
        raise UsageError(
            m("{key} of {name} must be a list of texts (got {value}).", key="also", name=name, value=repr(also))
        )
    figures: dict[str, Any] = {
        key: _figure(row[key], quantity, key, name) for key, quantity in _FIGURES.items() if key in row
    }
    for key, quantity in _TABLES.items():
        if key in row:
            figures[key] = _table(row[key], quantity, key, name)
    levels = [_level(level, name) for level in _list(row, "levels", name)]
    links = [_link(link, name) for link in _list(row, "interconnects", name, _LINK_EXAMPLE)]
    _require(row, name)
    known = machine_of_row(
        {**{key: row[key] for key in _TEXTS if key in row}, **figures, "also": also, "interconnects": links}
    )
    ceilings = replace(known.ceilings, taken_at=read_at, overheads=_overheads(row, figures))
    source = str(row.get("source", ""))
    caches = (
        BandwidthCeiling(level["level"], int(level["capacity_bytes"]), 0, Figure.stated(level["bytes_per_s"], source))
        for level in levels
    )
    ceilings = replace(ceilings, bandwidths=(*caches, *ceilings.bandwidths))
    return replace(known, ceilings=ceilings)


def _overheads(row: Mapping[str, Any], figures: Mapping[str, Any]) -> Overheads:
    source = str(row.get("overheads_source", ""))
    stated = {key: Figure.stated(figures[key], source) for key in OVERHEADS if key in figures}
    return Overheads(stated.get("dispatch_ns"), stated.get("module_call_ns"), stated.get("launch_ns"))


def _refuse_unknown(row: Mapping[str, Any], keys: tuple[str, ...], name: str) -> None:
    for key in row:
        if key not in keys:
            near = get_close_matches(key, keys, 1, 0.5)
            known = m("Did you mean {name}?", name=near[0]) if near else m("Known are {names}.", names=listed(keys))
            raise UsageError(m("{name} has an unknown key {key}.", name=name, key=repr(key)), "", known)


def _require(row: Mapping[str, Any], name: str) -> None:
    """Every figure has its source, and those that only say something together are there together."""
    for key in (*_FIGURES, *_TABLES, "levels"):
        source = _SOURCES.get(key, "source")
        if key in row and not str(row.get(source, "")).strip():
            raise UsageError(
                m("{key} of {name} has no source.", key=key, name=name),
                m("Every figure must say where it comes from."),
                m(
                    "Add {source}: the address of a datasheet, or how the figure was measured.",
                    source=f'{source} = "…"',
                ),
            )
    for key, other in (("flops_per_cycle", "cores"), ("flops_per_cycle", "clock_hz"), ("clock_hz", "flops_per_cycle")):
        if key in row and other not in row:
            raise UsageError(
                m("{key} of {name} needs {other} too.", key=key, name=name, other=other),
                m("The peak of a processor is cores × clock × FLOPs a cycle."),
                m("Add {other}, or give the peak itself as flops.", other=other),
            )


def _list(row: Mapping[str, Any], key: str, name: str, example: Message | None = None) -> list[Any]:
    rows = row.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise UsageError(
            m("{key} of {name} must be a list of tables (got {value}).", key=key, name=name, value=repr(rows)),
            "",
            example or m('Write levels = [{{ level = "L2", capacity_bytes = 50e6, bytes_per_s = 5e12 }}].'),
        )
    return rows


def _link(link: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """One interconnect, every figure in SI units."""
    _refuse_unknown(link, ("name", "devices", "source", "remark", *_LINK), name)
    missing = [key for key in ("name", "devices", "bytes_per_s", "source") if not link.get(key) and link.get(key) != 0]
    devices = link.get("devices")
    if missing or not isinstance(devices, int) or isinstance(devices, bool) or devices < -1 or devices == 1:
        raise UsageError(
            m(
                "An interconnect of {name} must have name, devices, bytes_per_s and source (got {value}).",
                name=name,
                value=repr(link),
            ),
            m("devices is how many it joins: 0 for a network between hosts, -1 for as many as a host has."),
            _LINK_EXAMPLE,
        )
    label = str(link["name"])
    figures = {
        key: _figure(link[key], quantity, f"{label}.{key}", name) for key, quantity in _LINK.items() if key in link
    }
    return {
        "name": label,
        "devices": devices,
        "source": str(link["source"]),
        "remark": str(link.get("remark", "")),
        **figures,
    }


def _level(level: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    _refuse_unknown(level, ("level", *_LEVEL), name)
    called = level.get("level")
    if called not in ("L1", "L2", "L3", "L4") or any(key not in level for key in _LEVEL):
        raise UsageError(
            m(
                "A level of {name} must have level, capacity_bytes and bytes_per_s (got {value}).",
                name=name,
                value=repr(level),
            ),
            "",
            m('Write levels = [{{ level = "L2", capacity_bytes = 50e6, bytes_per_s = 5e12 }}].'),
        )
    figures = {key: _figure(level[key], quantity, f"{called}.{key}", name) for key, quantity in _LEVEL.items()}
    return {"level": called, **figures}


def _table(table: Any, quantity: Quantity, key: str, name: str) -> dict[str, float]:
    if not isinstance(table, dict) or not table:
        raise UsageError(
            m("{key} of {name} must be a table by dtype (got {value}).", key=key, name=name, value=repr(table)),
            "",
            m("Write {key} = {{ float32 = 20e12, bfloat16 = 300e12 }}.", key=key),
        )
    for dtype in table:
        if dtype not in known_dtypes() and dtype not in plausible.SPECIAL_DTYPES:
            near = plausible.DTYPES.get(dtype.lower()) or next(
                iter(get_close_matches(dtype, known_dtypes(), 1, 0.5)), None
            )
            raise UsageError(
                m("{key} of {name} has an unknown dtype {dtype}.", key=key, name=name, dtype=repr(dtype)),
                "",
                m("Did you mean {name}?", name=near)
                if near
                else m("Known dtypes: {known}.", known=listed(known_dtypes())),
            )
    return {dtype: _figure(value, quantity, f"{key}.{dtype}", name) for dtype, value in table.items()}


def _figure(value: Any, quantity: Quantity, key: str, name: str) -> float:
    """`value` in SI units. Raises `UsageError` for what no machine has, with what it was likely meant to be."""
    number = _number(value, quantity)
    if number is not None and not isinstance(value, str) and quantity.holds(number):
        return number
    unit = quantity.unit or m("whole numbers")
    fact = m("{key} of {name} must be in {unit} (got {value}).", key=key, name=name, unit=unit, value=_shown(value))
    limits = m(
        "A machine has between {least} and {most}.", least=format(quantity.least, "g"), most=format(quantity.most, "g")
    )
    if number is not None and isinstance(value, str) and quantity.holds(number):
        raise UsageError(
            fact, m("A figure is a plain number."), m("Write {key} = {figure}.", key=key, figure=_toml(number))
        )
    meant = quantity.meant(number) if number is not None else None
    if meant is not None:
        figure, other = meant
        raise UsageError(
            fact, m("{value} looks like {unit}.", value=_shown(value), unit=other),
            m("Write {key} = {figure} if it is {value} {unit}.", key=key, figure=_toml(figure), value=_shown(value), unit=other),
        )  # fmt: skip
    raise UsageError(fact, limits, m("Give the figure of the datasheet in {unit}.", unit=unit))


def _number(value: Any, quantity: Quantity) -> float | None:
    """What `value` states, a text with a unit too; None where that is no number."""
    if isinstance(value, str):
        return quantity.read(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shown(value: Any) -> str:
    return format(value, "g") if isinstance(value, float) else repr(value)


def _toml(value: float) -> str:
    """`9e+11` as people write it: `9e11`."""
    return re.sub(r"e([+-]?)0*", lambda found: "e" + found[1].strip("+"), format(value, ".6g"))
