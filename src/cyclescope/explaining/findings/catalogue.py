"""THE tuple of all finders, and what they find together, ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from cyclescope.explaining.findings.activation import scalar_activation
from cyclescope.explaining.findings.attention import unfused_attention
from cyclescope.explaining.findings.cache import cache_reallocation
from cyclescope.explaining.findings.compute import compute_bound
from cyclescope.explaining.findings.cores import idle_cores
from cyclescope.explaining.findings.decode import memory_bound_decode
from cyclescope.explaining.findings.dispatch import dispatch_bound
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Finding, FindingCode
from cyclescope.explaining.findings.first_call import first_call
from cyclescope.explaining.findings.launch import launch_bound
from cyclescope.explaining.findings.layer import unlike_layer
from cyclescope.explaining.findings.noise import noise
from cyclescope.explaining.findings.oversubscription import oversubscription
from cyclescope.explaining.findings.padding import padding
from cyclescope.explaining.findings.spread import (
    communication_bound,
    pipeline_bubble,
    too_many_ranks,
    too_small_to_spread,
)
from cyclescope.explaining.findings.tokenizer import slow_tokenizer
from cyclescope.explaining.findings.traffic import product_traffic

Finder: TypeAlias = Callable[[Facts], Iterator[Finding]]

FINDERS: tuple[Finder, ...] = (
    dispatch_bound,
    launch_bound,
    memory_bound_decode,
    compute_bound,
    scalar_activation,
    product_traffic,
    padding,
    slow_tokenizer,
    unfused_attention,
    cache_reallocation,
    oversubscription,
    idle_cores,
    unlike_layer,
    communication_bound,
    pipeline_bubble,
    too_many_ranks,
    too_small_to_spread,
    first_call,
    noise,
)

# They are no part of the steady cycle, so they have no share, stand last, and no floor holds them back.
INFORMATIONAL = frozenset((FindingCode.FIRST_CALL, FindingCode.NOISE))


def find(facts: Facts) -> tuple[Finding, ...]:
    """Everything that is found, by what it could bring at most, then by share. Below the noise floor nothing is.

    A gain of 0 is one that no bound tells, and no reason to be silent.
    """
    if not facts.total_ns:
        return tuple(found for finder in (first_call, noise) for found in finder(facts))
    found = [each for finder in FINDERS for each in finder(facts) if _above(each, facts.noise_floor)]
    return tuple(sorted(found, key=lambda f: (f.code in INFORMATIONAL, -f.gain, -f.share)))


def _above(found: Finding, floor: float) -> bool:
    if found.code in INFORMATIONAL:
        return True
    return found.share >= floor and (found.gain == 0 or found.gain >= floor)
