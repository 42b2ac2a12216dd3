"""Measured cycles of all machines of a kind on disk, in the folder in which learning on this machine keeps its own.

torch-DIGEST.training-1/CASE.cycle             measured on this machine
torch-DIGEST.training-1/MACHINE/CASE.cycle     on another one
torch-DIGEST.training-1/MACHINE/ceilings.json  what that one was calibrated to
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from cyclescope.calibrating.learning.harvesting import SUFFIX
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError
from cyclescope.predicting.fitted import unwritable
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.run_file import load

_CEILINGS = "ceilings.json"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows in `folder`; `here` is the name of this machine, where it is one of those that measure."""

    folder: Path
    here: str | None

    def place(self, machine: str) -> Path:
        """The folder of `machine`. A name may hold what no file name may."""
        return self.folder if machine == self.here else self.folder / f"@{quote(machine, safe='')}"

    def machines(self) -> list[tuple[str, Ceilings]]:
        """Other machines of which something is kept, with their ceilings; what cannot be read was not measured."""
        found = []
        for path in sorted(self.folder.glob(f"@*/{_CEILINGS}")):
            with suppress(OSError, ValueError, CodecError):
                name = unquote(path.parent.name[1:])
                if name != self.here:
                    found.append((name, decode(Ceilings, json.loads(path.read_bytes()), [])))
        return found

    def names(self, machine: str) -> set[str]:
        """The workloads that `machine` has measured."""
        return {path.stem for path in self.place(machine).glob(f"*{SUFFIX}")}

    def cycle(self, machine: str, name: str) -> Cycle | None:
        """What `machine` has measured of the workload `name`; what cannot be read was not measured."""
        try:
            return load(self.place(machine) / f"{name}{SUFFIX}")
        except CyclescopeError:
            return None

    def know(self, machine: str, ceilings: Ceilings) -> None:
        """Keep what `machine` was calibrated to."""
        if machine != self.here:
            self._write(self.place(machine) / _CEILINGS, json.dumps(encode(ceilings)[0]).encode())

    def keep(self, machine: str, name: str, content: bytes) -> bool:
        """Keep the file that `machine` sent for `name`. False where it is no cycle, which is then not kept."""
        path = self.place(machine) / f"{name}{SUFFIX}"
        self._write(path, content)
        if self.cycle(machine, name) is None:
            path.unlink()
            return False
        return True

    def _write(self, path: Path, content: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_writer(path) as file:
                file.write(content)
        except OSError as exc:
            raise unwritable(path, exc) from exc
