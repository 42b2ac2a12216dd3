"""Exit codes of a command that answers yes, no or unknown by its exit code: 0, 1, 2. Failures must not look like answers."""

from __future__ import annotations

import os
from typing import Any, Protocol, runtime_checkable

import typer

from cyclescope.cli.defects import defect
from cyclescope.cli.help import Command
from cyclescope.core.errors import CyclescopeError

KEPT, EXCEEDED, UNKNOWN = 0, 1, 2
GATE = "--fail-if-slower"
# Failures that else end with 1 or 2 end with the codes of sysexits.h for an internal error and for wrong usage.
_INTERNAL, _USAGE = 70, 64
_MOVED = {1: _INTERNAL, 2: _USAGE}


@runtime_checkable
class _WithCode(Protocol):
    exit_code: int


class GatedCommand(Command):
    """With `--fail-if-slower` no failure ends with 1 or 2."""

    def requests_answer(self, args: list[str]) -> bool:
        """Whether these arguments ask for an answer by the exit code."""
        return any(argument.partition("=")[0] == GATE for argument in args)

    def answers(self, ctx: Any) -> bool:
        """The same, once they are understood."""
        return ctx.params.get("fail_if_slower") is not None

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> Any:
        gated = self.requests_answer(args)
        try:
            return super().make_context(info_name, args, *more, **extra)
        except Exception as error:
            if gated and isinstance(error, _WithCode):  # an option that the parser refuses
                error.exit_code = _MOVED.get(error.exit_code, error.exit_code)
            raise

    def invoke(self, ctx: Any) -> Any:
        if not self.answers(ctx):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except CyclescopeError as error:
            error.exit_code = _MOVED.get(error.exit_code, error.exit_code)
            raise
        except (typer.Exit, typer.Abort, OSError):
            raise
        except Exception as error:
            if os.environ.get("CYCLESCOPE_DEBUG"):
                raise
            found = defect(error)
            found.exit_code = _INTERNAL
            raise found from error


class AnsweringCommand(GatedCommand):
    """Its exit code is always the answer."""

    def requests_answer(self, args: list[str]) -> bool:
        return True

    def answers(self, ctx: Any) -> bool:
        return True
