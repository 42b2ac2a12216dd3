"""Memory that an engine has written is moved to huge pages, and no other."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest
from installed import needs

from cyclescope.backends.openvino.standalone.openvino_model import take_huge_pages, written_memory

pytestmark = needs("openvino")
ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
BYTES = 64 << 20


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not ENABLED.exists(), reason="there are no huge pages to ask for"
)
def test_new_memory_is_moved_and_what_was_there_before_stays() -> None:
    old = mmap.mmap(-1, BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    before = written_memory()
    assert take_huge_pages(before) == 0
    new = mmap.mmap(-1, BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    new.write(b"weight" * 1000)
    agreed = take_huge_pages(before)
    assert BYTES - (4 << 20) <= agreed < 2 * BYTES
    assert new[:6] == b"weight"
    assert take_huge_pages(written_memory()) == 0
    old.close()
    new.close()
