"""The one tree of errors. Each says the fact, the cause and the way out, and carries its exit code.

CyclescopeError                  1
├── UsageError                   2   the request itself is off (impossible shape, empty text, unknown option value)
│   └── InputTooLong             2   the text does not fit the model
├── ModelError                   3   the model cannot be had
│   ├── UnknownModel             3   no folder, file, built-in or reachable hub entry of that name
│   ├── WeightsMissing           3   a folder without weights, or with pickled weights only
│   └── RemoteCodeRefused        3   the model needs code that came with it
├── RunFileError                 4   a saved run cannot be read
│   ├── CalibrationFileError     4   a kept calibration cannot be read
│   ├── FittedModelError         4   a fitted timing model cannot be read
│   └── TraceFileError           4   a trace that is to be imported cannot be read
├── OutputError                  5   a file cannot be written (full disk, no permission)
├── Unsupported                  6   this engine cannot make that plan real
├── MissingExtra                 7   an optional package is not installed
├── EngineError                  8   the engine failed while it ran (out of memory, a crash in the model)
└── Interrupted                130   Ctrl-C; what was measured is saved first
"""

from __future__ import annotations

from cyclescope.core.message import Text, sentences


class CyclescopeError(Exception):
    """A failure with a fact, a cause and a way out.

    `fact` is one sentence, `cause` says why, `way_out` what to do; the last two may be empty. `str()` is English.
    """

    exit_code = 1

    def __init__(self, fact: Text, cause: Text = "", way_out: Text = "") -> None:
        super().__init__(str(fact))
        self.fact = fact
        self.cause = cause
        self.way_out = way_out

    @property
    def summary(self) -> Text:
        """Fact and cause in one line."""
        return sentences(self.fact, self.cause)

    def __str__(self) -> str:
        return "\n".join(str(part) for part in (self.fact, self.cause, self.way_out) if part)


class UsageError(CyclescopeError):
    """The request cannot be carried out as it stands."""

    exit_code = 2


class InputTooLong(UsageError):
    """The text has more tokens than the model has positions."""


class ModelError(CyclescopeError):
    """The model cannot be had."""

    exit_code = 3


class UnknownModel(ModelError):
    """No folder, configuration file, built-in architecture or reachable hub entry has that name."""


class WeightsMissing(ModelError):
    """There is a configuration, but no weights that may be loaded."""


class RemoteCodeRefused(ModelError):
    """The model needs Python code that came with its files."""


class RunFileError(CyclescopeError):
    """A saved run is cut, empty, foreign or newer than this version."""

    exit_code = 4


class CalibrationFileError(RunFileError):
    """A kept calibration is cut, empty, foreign or newer than this version."""


class FittedModelError(RunFileError):
    """A fitted timing model is cut, empty, foreign or of another version than this one reads."""


class TraceFileError(RunFileError):
    """A trace is empty, foreign, of no known format or without times, or larger or deeper than any trace may be."""


class OutputError(CyclescopeError):
    """A file cannot be written."""

    exit_code = 5


class Unsupported(CyclescopeError):
    """The engine cannot make the plan real."""

    exit_code = 6


class MissingExtra(CyclescopeError):
    """An optional package is needed and not installed."""

    exit_code = 7


class EngineError(CyclescopeError):
    """The engine failed while it ran."""

    exit_code = 8


class Interrupted(CyclescopeError):
    """The user pressed Ctrl-C; what was measured until then is kept."""

    exit_code = 130
