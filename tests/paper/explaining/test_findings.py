"""What is found where it was planted, with its numbers; what is not found where there is nothing; and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from paper_models import PACE, paper_bert, paper_cycle
from planted import PLANTED, Plant, healthy, padded, restless, slow_tokenizer, with_ceilings

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import Load
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.catalogue import FINDERS, INFORMATIONAL
from cyclescope.explaining.findings.finding import EvidenceName, Finding, FindingCode

CODES = list(FindingCode)
# What a healthy cycle is bound by, if all else is in order.
IN_ORDER = {FindingCode.COMPUTE_BOUND}


def found(cycle: Cycle) -> dict[FindingCode, Finding]:
    return {finding.code: finding for finding in explain(cycle).findings}


def evidence(finding: Finding) -> dict[EvidenceName, float]:
    return {each.name: each.value for each in finding.evidence}


def test_everything_that_can_be_found_is_planted_somewhere() -> None:
    assert set(PLANTED) == set(FindingCode)
    assert len(FINDERS) == len(FindingCode)


@pytest.mark.parametrize("code", CODES, ids=[code.value for code in CODES])
def test_what_is_planted_is_found(code: FindingCode) -> None:
    assert code in found(PLANTED[code]())


@pytest.mark.parametrize("code", [code for code in CODES if code not in IN_ORDER], ids=lambda code: code.value)
def test_what_is_planted_is_found_alone(code: FindingCode) -> None:
    """But for the products that every one of these cycles is left with, once its cause is gone."""
    assert set(found(PLANTED[code]())) - IN_ORDER == {code}


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_healthy_cycle_is_bound_by_its_products_and_nothing_else(calibrated: bool) -> None:
    cycle = with_ceilings(healthy()) if calibrated else healthy()
    assert set(found(cycle)) == IN_ORDER


def test_every_place_and_every_number_stands_where_the_graph_has_it() -> None:
    for plant in PLANTED.values():
        cycle = plant()
        for finding in explain(cycle).findings:
            assert 0 <= finding.gain <= finding.share <= 1
            for op in (finding.place.op, *(each.op for each in finding.evidence)):
                assert -1 <= op < len(cycle.graph)
            if finding.place.op >= 0:
                site = cycle.graph.location(finding.place.op)
                assert (finding.place.stage, finding.place.layer) == (site.stage, site.layer)


def test_the_largest_gain_comes_first_then_the_largest_share_and_what_informs_last() -> None:
    noisy = replace(padded(), samples=replace(padded().samples, load=Load(other_busy=0.5)))
    ranked = explain(noisy).findings
    assert [finding.code for finding in ranked] == [
        FindingCode.PADDING,
        FindingCode.COMPUTE_BOUND,  # a larger share, but nobody knows what could be gained
        FindingCode.NOISE,
    ]
    assert ranked[0].gain > 0 == ranked[1].gain
    assert ranked[1].share > ranked[0].share


def test_what_is_below_the_noise_of_the_machine_is_not_told() -> None:
    """20 % of the cycle is the tokenizer; an A/A comparison that differs by 25 % drowns it, and is told instead."""
    cycle = slow_tokenizer()
    quiet, loud = (found(with_ceilings(cycle, flops=2e12, noise=noise)) for noise in (0.15, 0.25))
    assert FindingCode.SLOW_TOKENIZER in quiet
    assert FindingCode.SLOW_TOKENIZER not in loud
    assert evidence(loud[FindingCode.NOISE])[EvidenceName.NO_DIFFERENCE] == 0.25


def test_a_calibration_that_was_disturbed_hides_nothing() -> None:
    disturbed = found(with_ceilings(slow_tokenizer(), flops=2e12, noise=29.92))
    assert FindingCode.SLOW_TOKENIZER in disturbed
    assert FindingCode.NOISE not in disturbed


def test_what_is_below_the_interval_of_the_median_is_not_told() -> None:
    p = Plant()
    with p.b.frame("", "Tokenizer", stage="tokenize"):
        p.op("tokenize", OpKind.TEXT, [p.given(8, role=TensorRole.INPUT)], 12_000)
    with p.b.frame("", "Model"):
        p.linear(p.given(64, 1024, role=TensorRole.INPUT), 88_000)
    still, shaking = p.cycle(pace=PACE), p.cycle(pace=(1.0, 1.4, 0.7, 1.2, 0.8, 1.3))
    assert FindingCode.SLOW_TOKENIZER in found(still)
    assert explain(shaking).wall.half_width > 0.12
    assert FindingCode.SLOW_TOKENIZER not in found(shaking)


def test_with_a_few_repeats_nothing_below_three_per_cent_is_told() -> None:
    few = paper_cycle(paper_bert(2), runs=3)
    assert all(f.share >= 0.03 for f in explain(few).findings if f.code not in INFORMATIONAL)
    assert any(f.share < 0.03 for f in explain(few).findings if f.code in INFORMATIONAL)


def test_without_a_stamped_run_only_what_needs_none_is_told() -> None:
    cycle = paper_cycle(paper_bert(2), instrumented=False, pace=(1.0, 1.3))
    assert set(found(cycle)) == {FindingCode.FIRST_CALL, FindingCode.NOISE}


def test_a_cycle_without_samples_and_without_operations_has_no_findings() -> None:
    empty = paper_cycle(Plant().graph(), runs=0)
    assert explain(empty).findings == ()


def test_noise_tells_only_of_what_is_loud() -> None:
    (noise,) = (finding for finding in explain(restless()).findings if finding.code is FindingCode.NOISE)
    assert set(evidence(noise)) == {EvidenceName.HALF_WIDTH}
    assert (noise.share, noise.gain) == (0.0, 0.0)
