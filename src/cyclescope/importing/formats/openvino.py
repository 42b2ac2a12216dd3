"""Counters of OpenVINO's benchmark_app (`-report_type average_counters` or `detailed_counters`), as CSV or with `-json_stats` as JSON.

They say how long each layer took, in milliseconds with three decimals, and not when: layers are laid one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.importing.counts import Defect
from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.formats.document import Document, Translated
from cyclescope.importing.parsing.records import Record
from cyclescope.importing.trace import Kind

_HEADER = ("layerName", "execStatus", "layerType", "execType", "realTime (ms)", "cpuTime (ms)")
_COLUMNS = ("name", "status", "node_type", "exec_type", "real_time", "cpu_time")
# What the same tool writes where it was not asked for counters.
_REPORT_CSV, _REPORT_JSON = b"Command line parameters", "execution_results"
# What its tables begin with.
TABLES = (_HEADER[0].encode(), _REPORT_CSV)
_NOT_RUN = ("NOT_RUN", "OPTIMIZED_OUT")
_KEPT = ("node_type", "exec_type", "cpu_time")

Layer = Mapping[str, Any]


def _translate(text: bytes) -> Translated | None:
    is_json = text.lstrip().startswith(b"{")
    requests = _of_json(text) if is_json else _of_csv(text.decode("utf-8", errors="replace"))
    if requests is None:
        return None
    records: list[Record] = []
    not_run = 0
    for number, layers in enumerate(requests):
        begin = 0.0
        for layer in layers:
            duration = _microseconds(layer.get("real_time"))
            if str(layer.get("status")).rpartition(".")[2] in _NOT_RUN:
                not_run += 1
                continue
            kept = msgspec.Raw(msgspec.json.encode({name: layer[name] for name in _KEPT if name in layer}))
            records.append(Record("X", "layer", str(layer.get("name")), "request", number, begin, duration, args=kept))
            begin += max(duration, 0.0) if duration == duration else 0.0
    if not records:
        raise _no_layer_ran()
    return Translated(records, {Defect.NOT_RUN: not_run, Defect.LAID: len(records)})


def _of_json(text: bytes) -> list[list[Layer]] | None:
    try:
        report = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if _REPORT_JSON in report:
        raise _no_counters()
    found = report.get("detailed_performance", [report.get("avg_performance")])
    if "report_type" not in report or not isinstance(found, list):
        return None
    return [
        [n for n in r["nodes"] if isinstance(n, dict)]
        for r in found
        if isinstance(r, dict) and isinstance(r.get("nodes"), list)
    ]


def _of_csv(text: str) -> list[list[Layer]] | None:
    lines = [line.split(";") for line in text.splitlines()]
    if lines and lines[0][0].encode() == _REPORT_CSV:
        raise _no_counters()
    if not lines or tuple(lines[0])[: len(_HEADER)] != _HEADER:
        return None
    return [*_tables(lines)]


def _tables(lines: Iterable[list[str]]) -> Iterator[list[Layer]]:
    """A table a request: each has its header, and ends with a sum."""
    table: list[Layer] = []
    for cells in lines:
        if tuple(cells)[: len(_HEADER)] == _HEADER or cells[0] == "Total":
            if table:
                yield table
            table = []
        elif len(cells) >= len(_COLUMNS):
            # A name can have a semicolon in it; the other cells have none.
            table.append(dict(zip(_COLUMNS, [";".join(cells[:-5]), *cells[-5:]], strict=True)))
    if table:
        yield table


def _microseconds(text: Any) -> float:
    try:
        return float(text) * 1000
    except (TypeError, ValueError):
        return float("nan")


def _no_counters() -> TraceFileError:
    return TraceFileError(
        m("A report of benchmark_app must have counters to be imported."),
        m("This one has only the settings, the latency and the throughput of the run."),
        m("Import the report whose name has 'counters' in it, beside this one, or run again with {option}.", option="-report_type detailed_counters"),
    )  # fmt: skip


def _no_layer_ran() -> TraceFileError:
    return TraceFileError(
        m("A report of benchmark_app must have a layer that was run (got none)."),
        m("Some versions write only the first layer of average counters into JSON, and that one is the input."),
        m("Run again with {option}, or without {other}.", option="-report_type detailed_counters", other="-json_stats"),
    )


def _kind(category: str, name: str) -> Kind:
    return Kind.OPERATION


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {}


OPENVINO = Document(
    Dialect(
        "openvino", "OpenVINO counters (benchmark_app)", lambda opening: False, _kind,
        {Kind.OPERATION: ArgumentReader(kept=_KEPT)}, _properties,
    ),
    _translate,
)  # fmt: skip
