"""One reader on one trace in a process of its own, on one core. Prints a JSON object; see `speed.py`.

python bench/import/one.py READER TRACE CORE
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter, process_time

from readers import READERS

# What a reader loads at its first use is no part of its speed.
_SMALL = """{"schemaVersion": 1, "deviceProperties": [{"id": 0, "name": "d"}], "traceEvents": [
{"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 1, "tid": 1, "ts": 1.5, "dur": 9.0, "args": {"External id": 1}},
{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1, "ts": 2.5, "dur": 1.0, "args": {"External id": 1, "correlation": 1}},
{"ph": "X", "cat": "kernel", "name": "k", "pid": 0, "tid": 7, "ts": 4.5, "dur": 1.0, "args": {"External id": 1, "correlation": 1, "stream": 7, "device": 0}},
{"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#1", "pid": 1, "tid": 1, "ts": 1.0, "dur": 20.0, "args": {}}
], "traceName": "t"}"""


def memory(name: str) -> int:
    """Bytes of `VmRSS` (now) or `VmHWM` (at most, of this process alone)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def main() -> None:
    reader, path = READERS[sys.argv[1]], Path(sys.argv[2])
    os.sched_setaffinity(0, {int(sys.argv[3])})
    small = Path(f"{path}.{os.getpid()}.json")
    small.write_text(_SMALL)
    with redirect_stdout(io.StringIO()):
        try:
            reader(small)
        finally:
            small.unlink()
        before, wall, processor = memory("VmRSS"), perf_counter(), process_time()
        records = reader(path)
        taken = {"wall_s": perf_counter() - wall, "processor_s": process_time() - processor}
    print(json.dumps({"records": records, "bytes": memory("VmHWM") - before, **taken}))


if __name__ == "__main__":
    main()
