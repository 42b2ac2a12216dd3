"""What the parser refuses, as errors of ours: in our words and any language, with what may have been meant."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Protocol, runtime_checkable

from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, listed, m


@runtime_checkable
class Refusal(Protocol):
    """An exception of the parser: the parser itself is a private part of typer."""

    message: str
    exit_code: int


def shows_help(error: object) -> bool:
    """Whether the parser ends by `error` because it has shown its help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def refused(error: Refusal, context: Any) -> UsageError:
    """What the parser of a command refuses with `error`, recognized by its parts and not by its English."""
    made = UsageError(*_said(error, context), help_of(context.command_path))
    made.exit_code = error.exit_code
    return made


def too_many(given: Sequence[str], context: Any) -> UsageError:
    """More arguments than a command has."""
    return UsageError(m("There is no argument for {given}.", given=" ".join(given)), "", help_of(context.command_path))


def not_one_of(option: str, given: str, known: Sequence[str]) -> UsageError:
    """The value `given` of `option` is none of those that are `known`."""
    fact = m("{option} must be one of {all} (got {value}).", option=option, all=listed(known), value=given)
    return UsageError(fact, _meant(given.lower(), known))


def unknown_command(name: str, known: Sequence[str]) -> UsageError:
    """There is no command `name`."""
    return UsageError(m("There is no command {name}.", name=name), _meant(name, known), help_of("cyclescope"))


def help_of(command: str) -> Text:
    """Where to find help about `command`."""
    command += " --help"
    return m("For help: {command}", command=command)


def _said(error: Any, context: Any) -> tuple[Text, Text]:
    """Fact and cause."""
    parameter = getattr(error, "param", None)
    if hasattr(error, "possibilities"):
        known = [name for one in context.command.get_params(context) for name in one.opts]
        return m("There is no option {name}.", name=error.option_name), _meant(error.option_name, known)
    if hasattr(error, "option_name"):
        flags = [one for one in context.command.params if error.option_name in one.opts and one.is_flag]
        if flags:
            return m("{option} takes no value.", option=error.option_name), ""
        return m("{option} needs a value.", option=error.option_name), ""
    if hasattr(error, "param_type") and parameter is not None:
        if parameter.param_type_name == "argument":
            return m("The argument {name} is missing.", name=_name(parameter)), ""
        return m("The option {name} is missing.", name=_name(parameter)), ""
    if parameter is not None:
        return _bad_value(error, parameter)
    return error.message, ""


def _bad_value(error: Any, parameter: Any) -> tuple[Text, Text]:
    name, given = _name(parameter), _given(error.__cause__)
    choices = getattr(getattr(parameter, "type_descriptor", None), "choices", None)
    if given is None:
        return m("{option}: {message}", option=name, message=error.message), ""
    if choices:
        refused = not_one_of(name, given, [str(getattr(choice, "value", choice)) for choice in choices])
        return refused.fact, refused.cause
    match getattr(error.__cause__, "errors", list)()[0]["type"].partition("_")[0]:
        case "int":
            return m("{option} must be a whole number (got {value}).", option=name, value=given), ""
        case "float":
            return m("{option} must be a number (got {value}).", option=name, value=given), ""
        case _:
            return m("{option}: {message}", option=name, message=error.message), ""


def _given(cause: Any) -> str | None:
    """The value that a check refused, where it is known."""
    found = cause.errors() if hasattr(cause, "errors") else ()
    return str(found[0]["input"]) if found else None


def _name(parameter: Any) -> str:
    """An option by its long name, an argument by that of the usage."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name)
    return str(max(parameter.opts, key=len))


def _meant(name: str, known: Sequence[str]) -> Text:
    near = get_close_matches(name, known, 1)
    return m("Did you mean {name}?", name=near[0]) if near else ""
