"""All public documents, each with its published schema in docs/schema."""

from __future__ import annotations

from cyclescope.report.documents.applied import AppliedDocument
from cyclescope.report.documents.calibration import CalibrationDocument
from cyclescope.report.documents.cluster_learning import ClusterLearningDocument
from cyclescope.report.documents.comparison import ComparisonDocument
from cyclescope.report.documents.cycle.document import CycleDocument
from cyclescope.report.documents.definitions import DefinitionsDocument
from cyclescope.report.documents.dialogue import DialogueDocument
from cyclescope.report.documents.doctor import DoctorDocument
from cyclescope.report.documents.figures import Document
from cyclescope.report.documents.graph import GraphDocument
from cyclescope.report.documents.models import ModelsDocument
from cyclescope.report.documents.optimization import OptimizationDocument
from cyclescope.report.documents.structure import StructureDocument
from cyclescope.report.documents.tokens import TokensDocument
from cyclescope.report.documents.verification import VerificationDocument
from cyclescope.report.documents.what_if import WhatIfDocument

DOCUMENTS: tuple[type[Document], ...] = (
    CycleDocument,
    ComparisonDocument,
    OptimizationDocument,
    VerificationDocument,
    AppliedDocument,
    CalibrationDocument,
    DoctorDocument,
    TokensDocument,
    DialogueDocument,
    StructureDocument,
    DefinitionsDocument,
    ModelsDocument,
    GraphDocument,
    WhatIfDocument,
    ClusterLearningDocument,
)
