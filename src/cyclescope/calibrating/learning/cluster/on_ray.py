"""A Ray cluster as a pool: the only place that knows Ray (https://docs.ray.io).

On every machine one actor takes all of the processors that it offers to Ray, so that no other work of the cluster runs beside a
measurement. Questions and answers are lines of JSON and bytes of files; what Ray itself sends between its own processes is pickled,
as for everything that runs on it.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from io import StringIO
from threading import Thread, current_thread
from types import TracebackType
from typing import Any, TextIO

from cyclescope.backends.engine import install_command
from cyclescope.calibrating.learning.cluster.messages import (
    Answer,
    Described,
    Failed,
    Question,
    Reply,
    from_line,
)
from cyclescope.calibrating.learning.cluster.pool import Event, Lost, names_of
from cyclescope.calibrating.learning.cluster.slot import Slot
from cyclescope.calibrating.learning.cluster.worker import described_line
from cyclescope.core.codec import CodecError
from cyclescope.core.errors import MissingExtra, UsageError
from cyclescope.core.lines import to_line
from cyclescope.core.message import Text, m

AUTO = "auto"
_REACH_S = 5.0  # for the first byte of the way to the cluster
_JOIN_S = 20.0  # until this process is a part of it
_CLOSE_S = 3.0
_DESCRIBE_S = 60.0  # importing Python packages from a slow disk, on all machines at once
_ADDRESS = re.compile(r"[A-Za-z0-9_.\-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}")
# Said before Ray is loaded: it reports nothing about its use.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}


def check_address(address: str) -> None:
    """Raise `UsageError` for what is no address of a Ray cluster, and `MissingExtra` where Ray is not installed."""
    if address != AUTO and not _ADDRESS.fullmatch(address):
        raise UsageError(
            m("--ray must be auto or HOST:PORT (got {address}).", address=address or '""'),
            m("A Ray client address (ray://) does not reach single machines.") if "://" in address else "",
            m("Give the address that `ray start --head` has shown, such as 192.168.0.10:6379."),
        )
    if find_spec("ray") is None:
        raise MissingExtra(
            m("Ray is not installed."),
            m("Learning on many machines runs on it; one machine does not need it."),
            install_command("ray"),
        )


class RayPool:
    """The machines of the Ray cluster at `address`, `auto` being the one that this machine is a part of; a context manager."""

    def __init__(self, address: str) -> None:
        check_address(address)
        self._address = address
        self._joined = False
        self._nodes: dict[str, Mapping[str, Any]] = {}
        self._here: str | None = None
        self._actors: dict[str, Any] = {}
        self._ready: dict[str, Any] = {}
        self._open: dict[Any, str] = {}
        self._streams: tuple[TextIO, TextIO] | None = None

    def __enter__(self) -> RayPool:
        ray = _ray()
        if not ray.is_initialized():
            self._streams = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = map(_WithoutThreadsOfRay, self._streams)
            try:
                _join(ray, self._address)
            except BaseException:
                self._leave()
                raise
            self._joined = True
        nodes = sorted(
            (node for node in ray.nodes() if node["Alive"]), key=lambda node: (_name(node), str(node["NodeID"]))
        )
        self._nodes = dict(zip(names_of([_name(node) for node in nodes]), nodes, strict=True))
        own = ray.get_runtime_context().get_node_id()
        self._here = next((name for name, node in self._nodes.items() if node["NodeID"] == own), None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for machine in tuple(self._actors):
            self.release(machine)
        if self._joined:
            with redirect_stdout(StringIO()):  # it says once more what it has said
                _ray().shutdown()
        self._leave()

    def _leave(self) -> None:
        if self._streams is not None:
            sys.stdout, sys.stderr = self._streams
            self._streams = None

    @property
    def here(self) -> str | None:
        return self._here

    def describe(self, engine: str) -> Mapping[str, Described | Failed]:
        ray = _ray()
        task = ray.remote(described_line)
        found: dict[str, Described | Failed] = {}
        asked = {}
        for name, node in self._nodes.items():
            if _processors(node) > 0:
                options = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": self._only_on(name)}
                asked[name] = task.options(**options).remote(engine)
            else:
                found[name] = Failed(m("It offers no processors to Ray."))
        until = time.monotonic() + _DESCRIBE_S
        for name, ref in asked.items():
            said = self._answer(ref, max(0.1, until - time.monotonic()))
            if isinstance(said, Lost):
                found[name] = Failed(m("The machine was lost."), said.why)
            else:
                reply = said.reply
                found[name] = reply if isinstance(reply, Described | Failed) else Failed(m("It gave another answer."))
        return {name: found[name] for name in self._nodes}

    def ask(self, machine: str, question: Question) -> None:
        if machine not in self._actors:
            actor = _ray().remote(Slot)
            options = {
                "num_cpus": _processors(self._nodes[machine]),
                "max_restarts": 0,
                "max_task_retries": 0,
                "scheduling_strategy": self._only_on(machine),
            }
            self._actors[machine] = actor.options(**options).remote()
            self._ready[machine] = self._actors[machine].__ray_ready__.remote()
        self._open[self._actors[machine].ask.remote(to_line(question))] = machine

    def next(self, timeout_s: float) -> Event | None:
        if not self._open:
            return None
        ready, _ = _ray().wait(list(self._open), num_returns=1, timeout=timeout_s)
        if not ready:
            return None
        machine = self._open.pop(ready[0])
        return Event(machine, self._answer(ready[0], _REACH_S))

    def holds(self, machine: str) -> bool:
        ready = self._ready.get(machine)
        return ready is not None and bool(_ray().wait([ready], timeout=0)[0])

    def alive(self, machine: str) -> bool:
        wanted = self._nodes[machine]["NodeID"]
        return any(node["NodeID"] == wanted and node["Alive"] for node in _ray().nodes())

    def release(self, machine: str) -> None:
        idle = machine not in self._open.values() and self.holds(machine)
        self._open = {ref: name for ref, name in self._open.items() if name != machine}
        self._ready.pop(machine, None)
        actor = self._actors.pop(machine, None)
        if actor is None:
            return
        with suppress(Exception):  # it may be gone already
            if idle:  # one that is killed leaves its temporary folder behind
                _ray().get(actor.close.remote(), timeout=_CLOSE_S)
            _ray().kill(actor)

    def _only_on(self, machine: str) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(self._nodes[machine]["NodeID"], soft=False)

    def _answer(self, ref: Any, timeout_s: float) -> Answer | Lost:
        """What `ref` came to."""
        from ray.exceptions import RayActorError, RayError, RayTaskError

        try:
            line, files = _ray().get(ref, timeout=timeout_s)
            reply = from_line(line)
        except RayTaskError as error:
            return Answer(Failed(m("The request failed there."), _last_line(error)))
        except RayError as error:
            return Lost("" if isinstance(error, RayActorError) else _first_line(error))
        except CodecError as error:
            return Answer(Failed(m("It gave another answer."), str(error)))
        if not isinstance(reply, Reply):
            return Answer(Failed(m("It gave another answer.")))
        return Answer(reply, files)


class _WithoutThreadsOfRay:
    """A text stream that drops what threads of Ray write: pages of its own log where a machine dies, which is told otherwise."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return len(text) if current_thread().name.startswith("ray_") else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _ray() -> Any:
    """Ray, which reports nothing about its use."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    return ray


def _join(ray: Any, address: str) -> None:
    """Become a part of the cluster at `address`. Raises `UsageError`, in time where nobody answers.

    Ray itself tries for ever to reach an address where nobody listens.
    """
    if address != AUTO:
        _reach(address)
    logger = logging.getLogger("ray")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    failed: list[BaseException] = []

    def init() -> None:
        try:
            ray.init(address, log_to_driver=False, configure_logging=False)
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=init, name="ray_init", daemon=True)
    thread.start()
    thread.join(_JOIN_S)
    if thread.is_alive():
        raise _unreachable(address, m("Nothing that is Ray answered within {seconds} s.", seconds=round(_JOIN_S)))
    if failed and not isinstance(failed[0], Exception):
        raise failed[0]
    if failed:
        raise _unreachable(address, _first_line(failed[0])) from failed[0]


def _reach(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH_S).close()
    except (OSError, OverflowError) as exc:
        cause = getattr(exc, "strerror", None) or str(exc)
        raise _unreachable(address, f"{cause}.") from exc


def _unreachable(address: str, cause: Text) -> UsageError:
    if address == AUTO:
        return UsageError(
            m("This machine must be a part of a Ray cluster for --ray auto."),
            cause,
            m("Run `ray start --head` here, or `ray start --address=HOST:PORT` to join a cluster."),
        )
    return UsageError(
        m("The Ray cluster at {address} cannot be joined.", address=address),
        cause,
        m(
            "Check the address: `ray start --head` prints it on the first machine of the cluster, and `ray status` tells there whether it runs."
        ),
    )


def _name(node: Mapping[str, Any]) -> str:
    """What people call the machine: the name that Ray was started with, else that of the host."""
    named = str(node.get("NodeName") or "")
    return named if named and named != node["NodeManagerAddress"] else str(node["NodeManagerHostname"])


def _processors(node: Mapping[str, Any]) -> float:
    return float(node["Resources"].get("CPU", 0.0))


def _first_line(error: BaseException) -> str:
    return next((line.strip()[:400] for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:400] if lines else type(error).__name__
