"""What reads a trace: this package and its peers, each as a function from a path to the number of records that it read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


def cyclescope(path: Path) -> int:
    from cyclescope.importing.reading import read

    return sum(source.records for source in read(path).reading.sources)


def cyclescope_in_python(path: Path) -> int:
    """Without the compiled code: msgspec, and columns made from its records."""
    from cyclescope.importing.parsing import events_file

    events_file.compiled = lambda: False  # type: ignore[assignment]  # as where no compiler was at hand
    return cyclescope(path)


def json_loads(path: Path) -> int:
    return len(json.loads(path.read_bytes())["traceEvents"])


def orjson_loads(path: Path) -> int:
    import orjson

    return len(orjson.loads(path.read_bytes())["traceEvents"])


def hta(path: Path) -> int:
    """Holistic Trace Analysis: its parser, before any analysis (https://github.com/facebookresearch/HolisticTraceAnalysis)."""
    from hta.common.trace_parser import parse_trace_dataframe
    from hta.configs.parser_config import ParserConfig

    _, frame, _ = parse_trace_dataframe(str(path), ParserConfig.get_default_cfg())
    return len(frame)


def tracelens(path: Path) -> int:
    """TraceLens: its tree of events, before any report (https://github.com/AMD-AGI/TraceLens)."""
    from TraceLens import TreePerfAnalyzer

    return len(TreePerfAnalyzer.from_file(str(path)).tree.events)


READERS: dict[str, Callable[[Path], int]] = {
    "cyclescope": cyclescope,
    "cyclescope, not compiled": cyclescope_in_python,
    "json.loads": json_loads,
    "orjson.loads": orjson_loads,
    "HolisticTraceAnalysis": hta,
    "TraceLens": tracelens,
}
