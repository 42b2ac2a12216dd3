"""Every file below a folder: what was recognised, counted and dropped, and how long it took."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import perf_counter

from cyclescope.core.errors import CyclescopeError
from cyclescope.importing.reading import read
from cyclescope.importing.timeline import timeline, work
from cyclescope.importing.trace import Kind, Place, Trace


def run(folder: Path) -> int:
    """Prints a paragraph a file. The number of files that ended in anything but a trace or a clear error."""
    crashed = 0
    outcomes: Counter[str] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        print(f"\n{path.relative_to(folder)}  ({path.stat().st_size:,} bytes)")
        begin = perf_counter()
        try:
            trace = read(path)
        except CyclescopeError as refused:
            outcomes["refused"] += 1
            print(f"  refused in {perf_counter() - begin:.2f} s: " + " ".join(str(refused).splitlines()))
            continue
        except Exception as error:  # what this looks for
            crashed += 1
            print(f"  CRASHED: {type(error).__name__}: {error}")
            continue
        outcomes[trace.format] += 1
        print(_described(trace, perf_counter() - begin))
    print("\n" + ", ".join(f"{number} {what}" for what, number in outcomes.most_common()) + f"; {crashed} crashed")
    return crashed


def _described(trace: Trace, seconds: float) -> str:
    events, (source,) = trace.events, trace.reading.sources
    kinds = Counter(events.kind.tolist())
    host = sum(lane.place is Place.HOST for lane in trace.lanes)
    lines = [
        f"{trace.format}{f', {source.packing}' if source.packing else ''}: {source.records:,} records, of them {source.metadata:,} of "
        f"metadata and {source.arrows:,} ends of arrows; rank {source.rank}; read in {seconds:.2f} s, {source.records / seconds:,.0f} a second",
        f"{len(events):,} events: " + ", ".join(f"{number:,} {Kind(kind).name.lower()}" for kind, number in kinds.most_common()),
        f"{host} lanes of the host, {len(trace.lanes) - host} of devices, {len(trace.flows):,} arrows, {len(trace.counters):,} values of "
        f"counters, {len(trace.names):,} names, {len(trace.details):,} records of arguments",
        f"span {trace.span_ns / 1e6:,.3f} ms; devices: {_devices(trace)}",
        *(
            f"{count.defect.value}: {count.events:,}" + (f", {count.time_ns / 1e6:,.3f} ms" if count.time_ns else "")
            + (f' ("{count.example[:60]}")' if count.example else "")
            for count in trace.reading.counts
        ),
    ]  # fmt: skip
    share = 100 * source.recovered / source.text if source.text else 0.0
    cut = "; the file is cut" if source.cut else ""
    lines.append(f"recovered {share:.2f} % of {source.text:,} bytes of text{cut}")
    return "\n".join(f"  {line}" for line in lines)


def _devices(trace: Trace) -> str:
    found = timeline(trace, work(trace))
    if not found.total_ns:
        return "no work"
    return (
        f"{found.busy_ns / 1e6:,.3f} ms busy and {found.idle_ns / 1e6:,.3f} ms idle of {found.total_ns / 1e6:,.3f} ms"
    )
