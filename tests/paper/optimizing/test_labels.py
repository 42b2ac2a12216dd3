"""The task's own number: classes that come out right, neighbours of the same label."""

from __future__ import annotations

import numpy as np
import pytest

from cyclescope.core.errors import UsageError
from cyclescope.core.results import Results
from cyclescope.optimizing.search.labels import mean_vectors, scorer


def vectors(*rows: tuple[float, float]) -> Results:
    return Results(np.ones((len(rows), 1), dtype=np.int64), hidden=np.asarray(rows)[:, None, :])


def classes(*chosen: int) -> Results:
    logits = np.eye(3)[list(chosen)]
    return Results(np.ones((len(chosen), 1), dtype=np.int64), logits=logits, classes=("no", "maybe", "yes"))


def test_classes_are_counted_by_name() -> None:
    score = scorer(("yes", "no", "maybe"))(classes(2, 0, 0))
    assert (score.right, score.texts) == (2, 3)
    assert score.share == pytest.approx(2 / 3)


def test_neighbours_of_the_same_label_are_right() -> None:
    score = scorer(("a", "a", "b", "b"))
    assert score(vectors((1, 0), (1, 0.1), (0, 1), (0.1, 1))).right == 4
    assert score(vectors((1, 0), (0, 1), (1, 0.1), (0.1, 1))).right == 0


def test_padding_has_no_say_in_the_mean() -> None:
    mask = np.asarray([[1, 0]])
    assert mean_vectors(Results(mask, hidden=np.asarray([[[2.0, 4.0], [99.0, 99.0]]]))).tolist() == [[2.0, 4.0]]


@pytest.mark.parametrize(
    ("labels", "results", "said"),
    [
        (("yes", "perhaps"), classes(2, 0), r"must be a class of the model: .*\(got 'perhaps'\)"),
        (("a", "a", "a", "a"), vectors((1, 0), (1, 0), (0, 1), (0, 1)), "at least four texts with at least two labels"),
        (("a", "b"), vectors((1, 0), (0, 1)), "at least four texts with at least two labels"),
        (("a",), Results(np.ones((1, 1)), tokens=np.ones((1, 2), dtype=np.int64)), "do not fit"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: tuple[str, ...], results: Results, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        scorer(labels)(results)
