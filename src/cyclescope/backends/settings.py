"""Global settings that a measurement may touch: read before it, put back after it, whatever ended it."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Setting:
    """One global value of `module`, which can be read once that is imported. `write` puts back what `read` gave."""

    module: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


class _Open:
    """Settings as they were found; those of modules that had not been imported yet, as their import left them."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._unread = list(settings)
        self._found: list[tuple[Setting, Any]] = []
        self.read()

    def read(self) -> None:
        """Read what can be read by now and was not."""
        there = [setting for setting in self._unread if sys.modules.get(setting.module) is not None]
        self._unread = [setting for setting in self._unread if setting not in there]
        self._found += [(setting, setting.read()) for setting in there]

    def restore(self) -> None:
        # One that fails must not keep the others from being put back.
        with ExitStack() as stack:
            for setting, value in self._found:
                stack.callback(setting.write, value)


_open: list[_Open] = []


@contextmanager
def keeping_settings(settings: Iterable[Setting]) -> Iterator[None]:
    """While open, `settings` may be changed; afterwards each is as it was."""
    kept = _Open(settings)
    _open.append(kept)
    try:
        yield
    finally:
        _open.remove(kept)
        kept.restore()


def note_imports() -> None:
    """Read the settings of modules that were imported a moment ago, before anything changes them."""
    for kept in _open:
        kept.read()


# Python's own --------------------------------------------------------------------------------------------------------


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _set_environment(before: Mapping[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


_Logger = tuple[logging.Logger, int, bool, bool, list[logging.Handler]]


def _loggers() -> tuple[int, list[_Logger]]:
    manager = logging.root.manager
    known = [logger for logger in manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    return manager.disable, [
        (logger, logger.level, logger.disabled, logger.propagate, list(logger.handlers))
        for logger in (logging.root, *known)
    ]


def _set_loggers(before: tuple[int, list[_Logger]]) -> None:
    disabled, loggers = before
    logging.disable(disabled)
    for logger, level, off, propagate, handlers in loggers:
        if logger.level != level:
            logger.setLevel(level)  # which forgets what loggers below remember of their levels
        logger.disabled, logger.propagate, logger.handlers[:] = off, propagate, handlers


def _signals() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _set_signals(before: Mapping[int, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # no other thread can change them
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) is not handler:
            signal.signal(number, handler)


PYTHON = (
    Setting("random", random.getstate, random.setstate),
    Setting("numpy", np.random.get_state, np.random.set_state),
    Setting("os", _environment, _set_environment),
    Setting("logging", _loggers, _set_loggers),
    Setting("signal", _signals, _set_signals),
)
