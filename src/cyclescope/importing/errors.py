"""What can be wrong with a file that is to be imported; the codes of `core.errors` hold."""

from __future__ import annotations

from cyclescope.core.errors import RunFileError


class TraceFileError(RunFileError):
    """A trace is empty, foreign, of no known format, or larger or deeper than any trace may be."""
