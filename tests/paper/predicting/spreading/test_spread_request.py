"""What a spread plan makes of a request: batch, microbatches, and what is refused before anything is traced."""

from __future__ import annotations

import pytest

from cyclescope.backends.base import Request
from cyclescope.backends.request_checks import check
from cyclescope.core.errors import UsageError
from cyclescope.predicting.spreading.request import is_spread, of_one_microbatch, settled


def _asked(**options: int) -> Request:
    return Request(model="any", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "batch", "microbatches", "traced"),
    [
        ({"tensor": 8}, 1, 1, 1),
        ({"tensor": 8, "pipeline": 2, "data": 4}, 4, 1, 1),
        ({"pipeline": 4, "batch": 16}, 16, 4, 4),
        ({"pipeline": 4, "batch": 6}, 6, 3, 2),
        ({"pipeline": 4, "data": 2, "batch": 64, "microbatches": 8}, 64, 8, 4),
        ({"pipeline": 2, "data": 3, "microbatches": 4}, 12, 4, 1),
    ],
)
def test_batch_and_microbatches_that_are_not_given(
    options: dict[str, int], batch: int, microbatches: int, traced: int
) -> None:
    request = settled(_asked(**options))
    assert (request.batch, request.microbatches) == (batch, microbatches)
    one = of_one_microbatch(request)
    assert one.batch == traced
    assert not is_spread(one)
    again = settled(request)
    assert (again.batch, again.microbatches) == (batch, microbatches), "what is settled stays so"


def test_a_plan_of_one_rank_is_left_alone() -> None:
    request = _asked(tokens=8)
    assert settled(request) is request
    assert of_one_microbatch(request) is request


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": 3, "batch": 4}, "--data must divide"),
        ({"pipeline": 2, "batch": 6, "microbatches": 4}, "--microbatches must divide"),
        ({"microbatches": 2}, "needs --pipeline"),
    ],
)
def test_what_cannot_be_shared_is_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        settled(_asked(**options))


@pytest.mark.parametrize("name", ["tensor", "pipeline", "data", "microbatches"])
def test_degrees_below_one_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"--{name} must be at least 1"):
        check(settled(_asked(**{name: 0})))
