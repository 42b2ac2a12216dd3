"""These tests need msgspec, which became a dependency with them: an environment from before runs the others until it is set up again."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("msgspec") else ["test_*.py"]
