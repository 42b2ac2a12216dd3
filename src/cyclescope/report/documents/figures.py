"""What all documents are made of: parts, texts, figures, ratios, work, packages and warnings, each in one shape.

Units are SI units: a figure names its unit, and the name of a plain number ends with it (`_s`, `_bytes`).
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from cyclescope.core import ceilings, statistics
from cyclescope.core.message import Message, Series
from cyclescope.explaining.places import Place
from cyclescope.report.names import storable

_NS_PER_S = 1e9


def seconds(ns: float) -> float:
    """A time of the measurement, in nanoseconds, as documents have it."""
    return ns / _NS_PER_S


def _text(value: object) -> object:
    return storable(str(value)) if isinstance(value, str | Message | Series | Place) else value


# A text from a model, a user or this program. Messages are in English; what no JSON can hold is replaced.
Text = Annotated[str, BeforeValidator(_text)]


class DocumentPart(BaseModel):
    """A part of a document. It is filled from the attributes of a value that have the names of its fields.

    A field `x_s` is filled from `x_ns` where the value has no attribute of its own name.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True)

    @classmethod
    def of(cls, value: object, /, **given: Any) -> Self:
        """The part that describes `value`; the fields `given` are not read from it."""
        return cls.model_validate({**_attributes(cls, value), **given})

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return value if isinstance(value, dict | cls) else _attributes(cls, value)


def _attributes(part: type[BaseModel], value: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in part.model_fields:
        if hasattr(value, name):
            found[name] = getattr(value, name)
        elif name.endswith("_s") and hasattr(value, f"{name[:-2]}_ns"):
            ns = getattr(value, f"{name[:-2]}_ns")
            found[name] = None if ns is None else seconds(ns)
    return found


class Figure(DocumentPart):
    """A quantity with its 95 % interval."""

    value: float = Field(description="in unit; a median, unless the field says otherwise")
    low: float | None = Field(
        default=None, description="in unit; lower end of the interval; null where n < 6 or it has none"
    )
    high: float | None = Field(
        default=None, description="in unit; upper end of the interval; null where n < 6 or it has none"
    )
    n: int | None = Field(default=None, description="number of samples; null where the value was not sampled")
    unit: Text = Field(
        description="s, B, FLOP/s, B/s, tokens/s, sequences/s, texts/s, images/s, recordings/s, s/position, or 1 for a plain number"
    )


class Sourced(Figure):
    """A figure about a machine."""

    source: Text = Field(description="the probe that measured it, or the URL of the datasheet")
    remark: Text = Field(description="how the value follows from what the source gives; empty where it is the same")


class Ratio(DocumentPart):
    """A ratio, which has no unit."""

    value: float = Field(description="plain number")
    low: float | None = Field(
        default=None, description="lower end of its interval; null where too few samples give none"
    )
    high: float | None = Field(
        default=None, description="upper end of its interval; null where too few samples give none"
    )
    n: int = Field(description="number of samples, or of rounds where two measurements were interleaved")


def time(value: statistics.Estimate) -> Figure:
    """A time; its ends only where there are samples enough for an interval."""
    low, high = (seconds(end) if value.has_interval else None for end in (value.low_ns, value.high_ns))
    return Figure(value=seconds(value.value_ns), low=low, high=high, n=value.n, unit="s")


def ratio(value: statistics.Ratio, *, known: bool | None = None) -> Ratio:
    """A ratio; its ends only where its interval is `known` (as the samples have it, unless given) and they are finite."""
    known = value.has_interval if known is None else known
    low, high = (end if known and math.isfinite(end) else None for end in (value.low, value.high))
    return Ratio(value=value.value, low=low, high=high, n=value.n)


def sourced(value: ceilings.Figure | None, unit: str, scale: float = 1.0) -> Sourced | None:
    """A figure about a machine in `unit`, from a value that counts in `scale` of it; a stated one has no interval."""
    if value is None:
        return None
    low, high = (end * scale if value.n else None for end in (value.low, value.high))
    return Sourced.of(value, value=value.value * scale, low=low, high=high, n=value.n or None, unit=unit)


def _time(value: object) -> object:
    return time(value) if isinstance(value, statistics.Estimate) else value


def _ratio(value: object) -> object:
    return ratio(value) if isinstance(value, statistics.Ratio) else value


def _packages(value: object) -> object:
    if not isinstance(value, tuple):
        return value
    return [Package(name=name, version=version) for name, version in value]


class Work(DocumentPart):
    """What operations compute and move, by the cost model."""

    flops: int = Field(description="FLOPs of matrix products and convolutions, two per multiply-add")
    elementwise_flops: int = Field(description="FLOPs of all other operations")
    read_bytes: int = Field(description="bytes; each input once, as if nothing were cached")
    written_bytes: int = Field(description="bytes; each output once, as if nothing were cached")


class Package(DocumentPart):
    """An installed package."""

    name: Text
    version: Text


class WarningPart(DocumentPart):
    """A reason to trust figures less."""

    code: Text = Field(description="stable, for machines")
    text: Text
    remedy: Text
    figure: Figure | None = Field(default=None, description="the number behind it; null where there is none")


Time: TypeAlias = Annotated[Figure, BeforeValidator(_time)]
RatioOf: TypeAlias = Annotated[Ratio, BeforeValidator(_ratio)]
Packages: TypeAlias = Annotated[list[Package], BeforeValidator(_packages)]
Share = Annotated[float, Field(description="time ÷ time of all stages, 0 … 1")]


class Document(DocumentPart):
    """A whole document. The default of its field `schema_` is the name and version of its published schema."""

    @classmethod
    def schema_id(cls) -> str:
        """Such as `cyclescope/comparison/2`."""
        return str(cls.model_fields["schema_"].default)

    @classmethod
    def file_name(cls) -> str:
        """Such as `comparison-2.json`, in docs/schema."""
        return "-".join(cls.schema_id().split("/")[1:]) + ".json"


def schema_field(name: str) -> Any:
    """The field that names the schema of a document."""
    return Field(name, alias="schema", description="name and version of this schema")


def dump(document: Document) -> str:
    """`document` as strict JSON in ASCII (no NaN, no Infinity), indented, with a newline at its end."""
    return json.dumps(document.model_dump(mode="json", by_alias=True), indent=2, allow_nan=False) + "\n"


def json_schema(document: type[Document]) -> str:
    """The JSON Schema (draft 2020-12) of `document`, as it is published in docs/schema."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:" + document.schema_id().replace("/", ":"),
        **document.model_json_schema(mode="serialization"),
    }
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
