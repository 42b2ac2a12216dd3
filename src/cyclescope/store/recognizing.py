"""What is a saved run: known by its content, whatever its name. Neither numpy nor the format itself is loaded for it."""

from __future__ import annotations

import os
import struct
from pathlib import Path

SUFFIX = ".cycle"
DOCUMENT = "cycle.json"  # the member that comes first

_SIGNATURE = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<4s22xHH")  # APPNOTE.TXT 4.3.7: signature, …, length of the name, length of the extra


def is_run(name: str | os.PathLike[str]) -> bool:
    """Whether `name` is a saved run: a file that begins like one, also where it was cut, or a name that promises one."""
    path = Path(name)
    try:
        if not path.is_file():
            return path.suffix == SUFFIX and not path.is_dir()
        with path.open("rb") as file:
            head = file.read(_LOCAL_HEADER.size + len(DOCUMENT))
    except (OSError, ValueError):
        return path.suffix == SUFFIX
    return path.suffix == SUFFIX or _begins_as_run(head)


def _begins_as_run(head: bytes) -> bool:
    if len(head) < _LOCAL_HEADER.size + len(DOCUMENT):
        return False
    signature, length, _ = _LOCAL_HEADER.unpack_from(head)
    member = head[_LOCAL_HEADER.size :]
    return signature == _SIGNATURE and length == len(DOCUMENT) and member == DOCUMENT.encode()
