"""The document about what was learned in a cluster: what `cyclescope calibrate --learn --ray --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.calibrating.learning.cluster.learn import ClusterLearning, LearnedKind
from cyclescope.report.documents.calibration import LearnedModels, learned_models
from cyclescope.report.documents.figures import Document, DocumentPart, Text, schema_field


class Machine(DocumentPart):
    """One machine of a kind."""

    name: Text
    workloads: int = Field(description="how many it measured")
    lost: Text = Field(description="why it left before the end; empty where it did not")
    earlier: bool = Field(
        description="whether it measured in an earlier, interrupted learning and was not there this time"
    )


class Refused(DocumentPart):
    """A machine that could not measure, or a workload that fails, with the reason."""

    name: Text
    why: Text


class Kind(DocumentPart):
    """Machines that are alike, and the timing models that were fitted on what they measured."""

    fingerprint: Text = Field(description="traits of these machines, one a line")
    machines: list[Machine]
    planned: int = Field(description="workloads that a whole learning measures")
    missing: list[Text] = Field(description="workloads that no machine of this kind was left for")
    left_out: list[Refused] = Field(description="workloads that failed on each attempt")
    why: Text = Field(description="why nothing was fitted; empty where something was")
    learned: LearnedModels | None = Field(description="null where nothing was fitted")


class ClusterLearningDocument(Document):
    """What was learned of each kind of machine in a cluster."""

    schema_: Literal["cyclescope/cluster-learning/1"] = schema_field("cyclescope/cluster-learning/1")
    kinds: list[Kind]
    unable: list[Refused] = Field(description="machines of the cluster that have not measured")
    apart: list[Text] = Field(
        description="machines that look alike and were learned apart, with the figure that differs"
    )


def cluster_learning_document(found: ClusterLearning) -> ClusterLearningDocument:
    """`found` as the public document."""
    return ClusterLearningDocument(
        kinds=[_kind(kind) for kind in found.kinds],
        unable=[Refused(name=name, why=str(why)) for name, why in found.unable],
        apart=[str(text) for text in found.apart],
    )


def _kind(kind: LearnedKind) -> Kind:
    return Kind(
        fingerprint=kind.fingerprint,
        machines=[Machine.of(machine, lost=str(machine.lost)) for machine in kind.machines],
        planned=kind.planned,
        missing=list(kind.missing),
        left_out=[Refused(name=name, why=str(why)) for name, why in kind.left_out],
        why=str(kind.why),
        learned=learned_models(kind.models, kind.path, stale=False) if kind.models is not None else None,
    )
