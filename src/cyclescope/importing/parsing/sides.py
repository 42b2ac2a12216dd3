"""What stands in a trace beside its spans: names of processes and threads, counters, and the memory that was reserved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from cyclescope.core.units import AnyArray, IntArray
from cyclescope.importing.parsing.columns import Columns
from cyclescope.importing.parsing.interning import Numbering
from cyclescope.importing.parsing.records import Record

Thread = tuple[int | str, int | str]

MEMORY = "[memory]"


class _Memory(msgspec.Struct, gc=False):
    """The arguments of an instant of PyTorch's allocator."""

    bytes: float = msgspec.field(name="Bytes", default=np.nan)
    allocated: float = msgspec.field(name="Total Allocated", default=np.nan)
    reserved: float = msgspec.field(name="Total Reserved", default=np.nan)
    device: int = msgspec.field(name="Device Id", default=-1)
    type: int = msgspec.field(name="Device Type", default=-1)


_memories = msgspec.json.Decoder(list[_Memory])


class Sides:
    """`titles` are the names that the trace gives to processes (pid, None) and threads; `counters` have a row a value."""

    def __init__(self, names: Numbering[str], threads: Numbering[Thread]) -> None:
        self.titles: dict[tuple[int | str, int | str | None], str] = {}
        self.counters = Columns()
        self._names, self._threads = names, threads

    def add_metadata(self, records: Sequence[Record]) -> None:
        """Records of phase M; those that only order or colour the lanes are passed over."""
        for record in records:
            if record.name in ("process_name", "thread_name"):
                title = _arguments(record).get("name")
                if isinstance(title, str):
                    self.titles[record.pid, None if record.name == "process_name" else record.tid] = title.strip()

    def add_counters(self, records: Sequence[Record], at_ns: IntArray) -> None:
        """Records of phase C: a value for each number in their arguments."""
        rows = [
            (self._names[record.name], self._names[series], self._threads[record.pid, record.tid], at, float(value))
            for record, at in zip(records, at_ns.tolist(), strict=True)
            for series, value in _arguments(record).items()
            if isinstance(value, int | float) and abs(value) < 1e300
        ]
        self._add(rows)

    def add_memory(self, arguments: Sequence[bytes], at_ns: IntArray, thread: AnyArray) -> bool:
        """Instants of the allocator become counters, a value for each of its amounts; False where their arguments are not its own."""
        try:
            found = _memories.decode(b"[%b]" % b",".join(arguments))
        except msgspec.DecodeError:
            return False
        devices: Numbering[tuple[int, int]] = Numbering()
        device = np.array([devices[f.type, f.device] for f in found], np.int32)
        for amount, values in (
            ("Bytes", [f.bytes for f in found]), ("Total Allocated", [f.allocated for f in found]), ("Total Reserved", [f.reserved for f in found]),
        ):  # fmt: skip
            series = np.array(
                [self._names[f"{amount} on device {kind}:{number}"] for kind, number in devices], np.int32
            )
            self.counters.add(
                name=np.full(len(found), self._names[MEMORY], np.int32), series=series[device], thread=thread.astype(np.int32),
                at_ns=at_ns, value=np.array(values, np.float64),
            )  # fmt: skip
        return True

    def _add(self, rows: Sequence[tuple[int, int, int, int, float]]) -> None:
        if rows:
            name, series, thread, at, value = zip(*rows, strict=True)
            self.counters.add(
                name=np.array(name, np.int32), series=np.array(series, np.int32), thread=np.array(thread, np.int32),
                at_ns=np.array(at, np.int64), value=np.array(value, np.float64),
            )  # fmt: skip


def _arguments(record: Record) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(record.args) if record.args else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
