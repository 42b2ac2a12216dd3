"""The public schema `cyclescope/comparison/1`, as types: what `cyclescope compare --json` prints.

Names and meanings in it never change; a field may be added. Times are nanoseconds, shares and ratios plain numbers.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cyclescope.explaining.changes import Presence
from cyclescope.explaining.comparison import Aspect, Limit, Verdict, Why
from cyclescope.report.documents.schema import Host, How, Text, Work

_Ns = Annotated[float | None, Field(description="ns; null where the part is missing")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False, from_attributes=True)


class ComparedRatio(_Part):
    """B ÷ A. low and high are null where there are too few samples for an interval, high also where it has no end."""

    value: float = Field(description="B ÷ A")
    low: float | None = Field(description="lower end of its interval")
    high: float | None = Field(description="upper end of its interval")
    n: int = Field(description="rounds, or samples of the side that has fewer")


class ComparedCycle(_Part):
    """One of the two cycles."""

    median_ns: float = Field(description="ns; median of the unprofiled wall time over n cycles")
    low_ns: float | None = Field(description="ns; lower end of its 95 % interval; null where n < 6: there is none")
    high_ns: float | None = Field(description="ns; upper end of its 95 % interval; null where n < 6: there is none")
    n: int = Field(description="number of cycles measured")
    attributed_ns: float = Field(description="ns; sum of all parts; 0 where nothing was stamped")
    source: Text
    taken_at: Text = Field(description="UTC, ISO 8601")
    version: Text = Field(description="version of cyclescope that took the cycle")
    partial: bool
    workload: Work
    plan: How
    machine: Host


class ComparedPart(_Part):
    """A part in both cycles. delta_ns = b_ns − a_ns, a missing part being 0; in each list they add up to delta_ns of all."""

    name: Text = Field(description="stage, kind, or place of the operations; python is the time between operations")
    presence: Presence
    a_ns: _Ns
    b_ns: _Ns
    delta_ns: float = Field(description="ns; B − A")
    ratio: ComparedRatio | None = Field(description="B ÷ A with its interval of 95 %; null unless both have it")
    operations_a: int = Field(description="operations of A in it")
    operations_b: int = Field(description="operations of B in it")
    stage: Text = Field(description="empty where it is not of one stage")
    layer: int | None = Field(description="number of the layer within its stage; null where it is not of one layer")
    kind: Text | None
    renamed: Text = Field(description="place of the operations in B where it is another, else empty")


class NamedDifference(_Part):
    """What is not the same about the two besides time."""

    aspect: Aspect
    name: Text = Field(description="of a package, else empty")
    a: Text
    b: Text


class ComparisonReport(_Part):
    """Everything that is told about two cycles."""

    schema_: Literal["cyclescope/comparison/1"] = Field(alias="schema", description="name and version of this schema")
    verdict: Verdict
    why: Why | None = Field(description="why the verdict is inconclusive; null where it is not")
    answer: Text = Field(description="one sentence in English")
    ratio: ComparedRatio = Field(description="B ÷ A of the unprofiled wall time")
    confidence: float = Field(description="of the interval of ratio, 0 … 1")
    threshold: float = Field(description="share; the whole interval must lie beyond it")
    limit: float | None = Field(description="share by which B may be slower; null where nobody asked")
    limit_kept: Limit | None = Field(description="null where nobody asked")
    limit_answer: Text | None = Field(description="one sentence in English")
    interleaved: bool = Field(description="whether both were measured in turns")
    between_runs: float = Field(description="share by which the interval was widened because they were not, else 0")
    a: ComparedCycle
    b: ComparedCycle
    delta_ns: float = Field(description="ns; b.attributed_ns − a.attributed_ns")
    stages: list[ComparedPart]
    layers: list[ComparedPart]
    kinds: list[ComparedPart]
    operations: list[ComparedPart]
    differences: list[NamedDifference]


def json_schema() -> str:
    """The JSON Schema (draft 2020-12) of the document, as it is kept in `docs/schema/comparison-1.json`."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:cyclescope:comparison:1",
        **ComparisonReport.model_json_schema(mode="serialization"),
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
