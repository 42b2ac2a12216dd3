"""Whether a recipe holds: three states, by the interval and by the outputs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cyclescope.backends.paper import FakeClock
from cyclescope.optimizing.recipes import verify as verifying
from cyclescope.optimizing.recipes.verify import ContextDifference, RecipeStatus, differences
from cyclescope.optimizing.search.drift import Drift
from cyclescope.optimizing.search.trial import InterleavedRuns

from .plans_on_paper import PaperArm, results, workload
from .recipes import USUAL
from .verifications import CLOSE, MACHINE, verified


@pytest.mark.parametrize(
    ("low", "high", "standing"),
    [
        (0.5, 0.7, RecipeStatus.HOLDS),
        (0.5, 0.9899, RecipeStatus.HOLDS),
        (0.5, 0.995, RecipeStatus.INCONCLUSIVE),  # a gain of less than 1 % is none
        (0.5, 1.5, RecipeStatus.INCONCLUSIVE),
        (0.995, 1.5, RecipeStatus.FAILS),
        (1.2, 1.5, RecipeStatus.FAILS),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, standing: RecipeStatus) -> None:
    assert verified(low, math.sqrt(low * high), high).status is standing


def test_a_gain_that_is_surely_smaller_than_promised_is_told() -> None:
    assert verified(0.75, 0.8, 0.85).brings_less  # 1.18 to 1.33 times, where 1.4 to 1.6 were promised
    assert not verified(0.65, 0.7, 0.75).brings_less  # 1.33 to 1.54: the intervals overlap
    assert not verified(0.4, 0.45, 0.5).brings_less
    assert not verified(0.75, 0.8, 0.85, rounds=5).brings_less


def test_before_there_are_six_rounds_nothing_is_said_of_the_time() -> None:
    assert verified(0.5, 0.6, 0.7, rounds=5).status is RecipeStatus.INCONCLUSIVE
    assert verified(1.5, 1.6, 1.7, rounds=5).status is RecipeStatus.INCONCLUSIVE
    assert verified(0.5, 0.6, 0.7, rounds=6).status is RecipeStatus.HOLDS


def test_outputs_beyond_the_limit_of_the_recipe_end_it_however_fast_it_is() -> None:
    far = Drift(cosine=0.98, largest=1.0, scale=1.0)
    found = verified(0.1, 0.1, 0.1, moved=far)
    assert found.drifted
    assert found.status is RecipeStatus.FAILS
    exact = replace(USUAL, proof=replace(USUAL.proof, max_drift=0.0))
    assert replace(found, recipe=exact, drift=CLOSE).drifted  # the same but for rounding was promised
    assert not replace(found, recipe=exact, drift=Drift(cosine=1.0, largest=1e-5, scale=1.0)).drifted


def test_what_differs_is_told() -> None:
    assert differences(USUAL.proof, MACHINE) == ()
    other = replace(MACHINE, processor="Paper 1", cores=8, packages=(("torch", "2.2"), ("numpy", "2.0")))
    assert differences(USUAL.proof, other) == (
        ContextDifference("processor", "Paper 9000", "Paper 1"),
        ContextDifference("cores", "2", "8"),
        ContextDifference("torch", "2.1", "2.2"),
        ContextDifference("transformers", "5.0", ""),
        ContextDifference("numpy", "", "2.0"),
    )


def test_a_recipe_on_other_work_says_so() -> None:
    other = workload(batch=USUAL.work.batch, tokens_in=USUAL.work.tokens_in + 1)
    assert verifying._other_work(USUAL, workload(batch=USUAL.work.batch, tokens_in=USUAL.work.tokens_in)) == ()
    (found,) = verifying._other_work(USUAL, other)
    assert (found.what, found.then) == ("work", f"{USUAL.work.batch} × {USUAL.work.tokens_in}")
    assert found.now == f"{other.batch} × {other.tokens_in}"


def turned(clock: FakeClock, budget_s: float, **plan: object) -> tuple[InterleavedRuns, bool]:
    variants = [PaperArm(clock, 10_000_000, results()), PaperArm(clock, 6_000_000, results(), **plan)]  # type: ignore[arg-type]
    interleaved = InterleavedRuns(variants)
    return interleaved, verifying._take(interleaved, int(budget_s * 1e9), clock, lambda phase, done: None)


def test_rounds_go_on_until_the_budget_is_spent_and_are_six_at_least() -> None:
    clock = FakeClock()
    interleaved, partial = turned(clock, 30)
    assert not partial
    assert 30e9 <= clock.now_ns() < 33e9
    assert interleaved.ratio(1, 0).value == pytest.approx(0.6, rel=0.01)
    assert turned(FakeClock(), 1e-6)[0].rounds == 6


def test_an_interruption_keeps_what_there_is() -> None:
    class Interrupting(PaperArm):
        def run(self, cycles: int):  # type: ignore[no-untyped-def]
            if self.cycles > 60:
                raise KeyboardInterrupt
            return super().run(cycles)

    clock = FakeClock()
    variants = [PaperArm(clock, 10_000_000, results()), Interrupting(clock, 6_000_000, results())]
    interleaved = InterleavedRuns(variants)
    assert verifying._take(interleaved, int(1e12), clock, lambda phase, done: None)
    assert interleaved.rounds >= 2
    early = InterleavedRuns([variants[0], variants[1]])
    with pytest.raises(KeyboardInterrupt):
        verifying._take(early, int(1e12), clock, lambda phase, done: None)
