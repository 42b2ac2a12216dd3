"""Whatever stands in a trace, it is explained, or refused in one message; nothing else is raised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_trace import paper_trace

from cyclescope.explaining.explain import explain
from cyclescope.importing.cycle import imported_cycle
from cyclescope.importing.details import Details
from cyclescope.importing.trace import Events, Kind
from cyclescope.report.documents.cycle.document import cycle_document
from cyclescope.report.exports.perfetto import to_perfetto
from cyclescope.report.media.markdown import to_markdown
from cyclescope.report.pages.cycle import cycle_page

_NAMES = (
    "aten::mm", "aten::copy_", "ProfilerStep#1", "ProfilerStep#2", "cudaLaunchKernel", "cudaGraphLaunch", "cudaDeviceSynchronize",
    "nn.Module: A_0", "nn.Module: A_1", "ncclKernel", "sgemm", 'a"</script>\x07', "",
)  # fmt: skip
_DETAILS = (b'{"Input Dims": [[2, 3], [3]], "Input type": ["float", "float"]}', b"[1]", b'{"Input Dims": 3}')
_EVENT = st.tuples(
    st.integers(0, len(_NAMES) - 1),
    st.sampled_from(list(Kind)),
    st.integers(0, 40_000),
    st.integers(0, 30_000),
    st.integers(0, 5),
    st.integers(-1, 4),
    st.integers(-1, len(_DETAILS) - 1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_EVENT, min_size=1, max_size=25))
def test_any_events_are_explained_and_their_accounts_close(
    rows: list[tuple[int, Kind, int, int, int, int, int]],
) -> None:
    columns = np.asarray(sorted(rows, key=lambda row: (row[2], -row[3])), dtype=np.int64).T
    events = Events(
        columns[0].astype(np.int32), columns[1].astype(np.int8), columns[2], columns[3], columns[4].astype(np.int32),
        columns[5], columns[5], columns[6].astype(np.int32),
    )  # fmt: skip
    trace = replace(paper_trace(), names=_NAMES, events=events, details=Details(_DETAILS))
    found = explain(imported_cycle(trace, "any"))
    to_markdown(cycle_page(found))
    cycle_document(found)
    to_perfetto(found)
    assert found.closure.rest_ns == 0
    assert found.lanes is not None
    for device in found.lanes.devices:
        assert device.busy_ns + device.idle_ns == device.total_ns
    for row in found.lanes.rows:
        assert row.busy_ns + row.python_ns + row.wait_ns + row.beside_ns + row.idle_ns == row.total_ns
    if found.lanes.path is not None:
        assert sum(part.ns for part in found.lanes.path.parts) == found.lanes.path.total_ns
