"""What a spread plan makes of a request: how many sequences there are, and which of them one microbatch has."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.backends.base import Request
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m


def is_spread(request: Request) -> bool:
    """Whether `request` asks for more than one rank, or for microbatches."""
    return (request.tensor, request.pipeline, request.data, request.microbatches) != (1, 1, 1, None)


def settled(request: Request) -> Request:
    """`request` with the batch and the microbatches that are in force.

    Without a batch there is one sequence for each replica and microbatch. Without microbatches there are as many as
    stages, or the next fewer that divide the batch of a replica: more keep no further stage busy while a text is written.
    Raises `UsageError` for a batch that replicas and microbatches do not divide.
    """
    if not is_spread(request):
        return request
    microbatches = 1 if request.microbatches is None else request.microbatches
    if min(request.tensor, request.pipeline, request.data, microbatches) < 1:
        return request  # which `check` refuses
    asked = request.microbatches
    if asked is not None and asked > 1 and request.pipeline == 1:
        raise UsageError(
            m("--microbatches needs --pipeline."),
            m("Only the stages of a pipeline work on several microbatches at a time."),
            m("Add --pipeline, or remove --microbatches."),
        )
    batch = request.batch or request.data * (asked or 1)
    if batch % request.data:
        raise _uneven(batch, request.data, "--data")
    each = batch // request.data
    if asked is not None and each % asked:
        raise _uneven(each, asked, "--microbatches")
    copies = asked or max(n for n in range(1, min(each, request.pipeline) + 1) if each % n == 0)
    return replace(request, batch=batch, microbatches=copies)


def _uneven(batch: int, parts: int, option: str) -> UsageError:
    return UsageError(
        m("{option} must divide the sequences that it shares, {batch} (got {parts}).", option=option, batch=batch, parts=parts),
        m("Each part gets as many of them, one at least."),
        m("Use --batch with a multiple of data × microbatches."),
    )  # fmt: skip


def of_one_microbatch(request: Request) -> Request:
    """What is traced: one microbatch of one replica, on one device."""
    if not is_spread(request):
        return request
    parts = request.data * (request.microbatches or 1)
    return replace(request, batch=(request.batch or parts) // parts, tensor=1, pipeline=1, data=1, microbatches=None)
